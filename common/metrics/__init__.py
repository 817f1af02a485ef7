"""Metrics: one catalogue, and the exporter that serves depths read from PostgreSQL and Redis."""
