"""Who is who: addresses, what a person has to decide, and what an account was found to have."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from common.storage.columns import customer, metadata, moment, text_column

# Whose an e-mail address is, and was: one entity's at a time, from its first use in a write on.
emails = Table(
    "emails",
    metadata,
    customer(),
    Column("email", Text, primary_key=True),
    Column("resource", Text, primary_key=True),
    Column("source_id", Text, primary_key=True),
    moment("first_used_at"),
    # Null: it is the entity's address now.
    moment("left_at", nullable=True),
    Index("ix_emails_entity", "customer_id", "resource", "source_id"),
    Index("ix_emails_current", "customer_id", "email", unique=True, postgresql_where=text("left_at IS NULL")),
)

# Entities that wait for a person's decision; `decision` is what was decided: '', 'link' or 'create'.
reviews = Table(
    "reviews",
    metadata,
    customer(),
    Column("resource", Text, primary_key=True),
    Column("source_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("candidates", JSONB, nullable=False),
    Column("state", Text, nullable=False),
    text_column("decision"),
    moment("created_at"),
    moment("resolved_at", nullable=True),
    Index("ix_reviews_open", "customer_id", postgresql_where=text("state = 'open'")),
)

# What an account was found to have or allow; see `common.domain.references`.
reference_cache = Table(
    "reference_cache",
    metadata,
    customer(),
    Column("name", Text, primary_key=True),
    Column("value", JSONB, nullable=False),
    moment("fetched_at"),
)
