"""Source connectors: one folder each (`client`, `translate`, README) and one line in `registry`."""
