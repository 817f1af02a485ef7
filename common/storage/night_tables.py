"""Nights of nightly customers."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, Index, SmallInteger, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from common.storage.columns import count, customer, metadata, moment, text_column

#: As the partial indexes say it.
OPEN_NIGHT = text("state = 'open'")

nights = Table(
    "nights",
    metadata,
    customer(),
    # The local date of the slot.
    Column("night_date", Date, primary_key=True),
    # 1: the slot's; those after it were opened by hand.
    Column("part", SmallInteger, primary_key=True, server_default="1", autoincrement=False),
    # `open`, `completed`, `failed` or `abandoned`.
    Column("state", Text, nullable=False),
    Column("phase", Text, nullable=False),
    # How it is to end, from the phase `report` on.
    text_column("verdict"),
    text_column("reason"),
    moment("claimed_at"),
    moment("started_at", nullable=True),
    moment("deadline_at", nullable=True),
    moment("finished_at", nullable=True),
    moment("next_step_at"),
    moment("next_at", nullable=True),
    count("attempts"),
    # Times a budget or a 429 held it up.
    count("pauses"),
    # By system: what the last probe found.
    Column("probes", JSONB, nullable=False, server_default=text("'{}'")),
    # By id: what each run that was under way had come to when it began.
    Column("carried", JSONB, nullable=False, server_default=text("'{}'")),
    Column("report", JSONB, nullable=False, server_default=text("'{}'")),
    # A person has resumed the customer since: a failure counts no more.
    Column("forgiven", Boolean, nullable=False, server_default="false"),
    Index("ix_nights_open", "customer_id", unique=True, postgresql_where=OPEN_NIGHT),
    Index("ix_nights_due", "next_step_at", postgresql_where=OPEN_NIGHT),
)
