"""Attempts that failed or were put off, and by what an event's writes are found."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text

from common.storage.columns import customer, metadata, moment, text_column
from common.storage.tables import writes

attempts = Table(
    "attempts",
    metadata,
    customer(),
    Column("event_id", BigInteger, primary_key=True, autoincrement=False),
    # 1, 2, 3 ... per event; those between the first and the newest are forgotten, see `common.domain.attempts`.
    Column("number", Integer, primary_key=True, autoincrement=False),
    moment("at"),
    Column("verdict", Text, nullable=False),
    Column("error", Text, nullable=False),
    text_column("message"),
    Column("status", Integer),
    text_column("field"),
    Column("is_counted", Boolean, nullable=False, server_default="false"),
    moment("retry_at", nullable=True),
    moment("parked_until", nullable=True),
    text_column("worker"),
    text_column("slice_id"),
    Column("trace_id", Text, nullable=False),
)

Index("ix_writes_event", writes.c.customer_id, writes.c.event_id)
