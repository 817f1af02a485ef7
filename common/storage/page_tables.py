"""Pages that runs have saved, and the records that each has shown."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from common.storage.columns import customer, metadata, moment, text_column

pages = Table(
    "pages",
    metadata,
    customer(),
    # Of the records, which need not be the run's.
    Column("resource", Text, primary_key=True),
    # See `common.domain.pages.Showing`. A record is looked for among all pages of its customer and resource, for they
    # are counted too: this key finds them, and an index by time, or of the ids, would only make pages dearer to save.
    Column("digest", LargeBinary, primary_key=True),
    Column("run_id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("scan_pass", SmallInteger, nullable=False),
    Column("origin", Text, nullable=False),
    text_column("scope"),
    text_column("address"),
    moment("first_seen_at"),
    moment("seen_at"),
    Column("times", Integer, nullable=False, server_default="1"),
    Column("source_ids", ARRAY(Text), nullable=False),
    # What is to be forgotten.
    Index("ix_pages_seen_at", "seen_at"),
)
