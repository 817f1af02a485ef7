"""What `fleet verify` remembers: each record as last read at the destination, and the last certificate."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from common.storage.columns import customer, metadata, moment

# The right side. A linked record without a row was not there when all were read.
verified = Table(
    "verified",
    metadata,
    customer(),
    Column("resource", Text, primary_key=True),
    Column("source_id", Text, primary_key=True),
    Column("destination_id", Text, nullable=False),
    # Version and mapped hash of the write that it was compared with ...
    Column("version", BigInteger, nullable=False),
    Column("wanted_hash", Text, nullable=False),
    # ... and the mapped hash as read: the same if nothing differs, else of what is there.
    Column("mapped_hash", Text, nullable=False),
    # Names of the fields that differ; their values are personal data and are not kept.
    Column("fields", JSONB, nullable=False),
    moment("read_at"),
    Index("ix_verified_read_at", "customer_id", "resource", "read_at"),
)

# The last of each resource.
verifications = Table(
    "verifications",
    metadata,
    customer(),
    Column("resource", Text, primary_key=True),
    moment("verified_at"),
    # What the destination has modified since then was not seen; null: it was never read to the end.
    moment("read_from", nullable=True),
    # Records of the destination with ids up to `highest`, ours or not: fewer later means that some have vanished.
    Column("highest", Text, nullable=False),
    Column("there", BigInteger, nullable=False),
    Column("certificate", JSONB, nullable=False),
)
