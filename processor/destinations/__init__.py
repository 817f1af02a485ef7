"""Destination connectors: one folder each (`client`, `payloads`, README) and one line in `registry`."""
