"""Structured logs: ids, a stable `action`, and no personal data."""
