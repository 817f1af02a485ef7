"""Batches of replays, and the letters of each."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKeyConstraint, Index, Integer, Table, Text, text

from common.storage.columns import customer, metadata, moment, text_column
from common.storage.tables import dead_letters

#: As the partial indexes say it.
ACTIVE_BATCH = text("state = 'active'")
WAITING_LETTER = text("state = 'waiting'")

replay_batches = Table(
    "replay_batches",
    metadata,
    customer(),
    Column("name", Text, primary_key=True),
    # `active`, `paused`, `completed` or `cancelled`.
    Column("state", Text, nullable=False),
    Column("actor", Text, nullable=False),
    text_column("chosen"),
    Column("overwrites", Boolean, nullable=False, server_default="false"),
    Column("portion", Integer, nullable=False),
    Column("per_minute", Integer, nullable=False),
    moment("created_at"),
    moment("next_feed_at"),
    moment("finished_at", nullable=True),
    Index("ix_replay_batches_due", "next_feed_at", postgresql_where=ACTIVE_BATCH),
)

replay_items = Table(
    "replay_items",
    metadata,
    customer(),
    Column("batch", Text, primary_key=True),
    # Its letter: once in a batch.
    Column("dead_letter_id", BigInteger, primary_key=True, autoincrement=False),
    # `waiting`, `fed` or `left_out`: from the first to one of the others once, in the transaction that does it.
    Column("state", Text, nullable=False),
    moment("fed_at", nullable=True),
    ForeignKeyConstraint(
        ["customer_id", "batch"],
        ["replay_batches.customer_id", "replay_batches.name"],
        name="fk_replay_items_batch",
    ),
    Index("ix_replay_items_waiting", "customer_id", "batch", "dead_letter_id", postgresql_where=WAITING_LETTER),
    Index("ix_replay_items_letter", "customer_id", "dead_letter_id"),
)

# What an unreadable item became before, and after.
Index("ix_dead_letters_entity", dead_letters.c.customer_id, dead_letters.c.resource, dead_letters.c.source_id)
