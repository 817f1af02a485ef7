"""Deletions that the fuse holds until a person decides."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text, text

from common.storage.columns import customer, metadata, moment, text_column

#: As the partial index says it.
HELD = text("state = 'held'")

# The last one of each record: `held`, `approved` or `rejected` by a person, or `settled`: the record was there again.
deletions = Table(
    "deletions",
    metadata,
    customer(),
    Column("resource", Text, primary_key=True),
    Column("source_id", Text, primary_key=True),
    Column("state", Text, nullable=False),
    # What found it gone, and goes into the event if it is approved.
    Column("origin", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("trace_id", Text, nullable=False),
    text_column("why"),
    text_column("actor"),
    moment("held_at"),
    moment("resolved_at", nullable=True),
    Index("ix_deletions_held", "customer_id", "resource", "source_id", postgresql_where=HELD),
)
