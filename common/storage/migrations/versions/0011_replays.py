"""Batches of replays, and customers whose applying alone is paused."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def _moment(name: str, *, nullable: bool) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.add_column("customers", sa.Column("applying_paused", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "replay_batches",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("customer_id", "name", "state", "actor")),
        sa.Column("chosen", sa.Text(), server_default="", nullable=False),
        sa.Column("overwrites", sa.Boolean(), server_default="false", nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("portion", "per_minute")),
        *(_moment(name, nullable=False) for name in ("created_at", "next_feed_at")),
        _moment("finished_at", nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.customer_id"], name=op.f("fk_replay_batches_customer_id")),
        sa.PrimaryKeyConstraint("customer_id", "name", name=op.f("pk_replay_batches")),
    )
    active = sa.text("state = 'active'")
    op.create_index("ix_replay_batches_due", "replay_batches", ["next_feed_at"], postgresql_where=active)
    _create_items()


def _create_items() -> None:
    op.create_table(
        "replay_items",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("customer_id", "batch")),
        sa.Column("dead_letter_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        _moment("fed_at", nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.customer_id"], name=op.f("fk_replay_items_customer_id")),
        sa.ForeignKeyConstraint(
            ["customer_id", "batch"],
            ["replay_batches.customer_id", "replay_batches.name"],
            name="fk_replay_items_batch",
        ),
        sa.PrimaryKeyConstraint("customer_id", "batch", "dead_letter_id", name=op.f("pk_replay_items")),
    )
    own, waiting = ["customer_id", "batch", "dead_letter_id"], sa.text("state = 'waiting'")
    op.create_index("ix_replay_items_waiting", "replay_items", own, postgresql_where=waiting)
    op.create_index("ix_replay_items_letter", "replay_items", ["customer_id", "dead_letter_id"])
    op.create_index("ix_dead_letters_entity", "dead_letters", ["customer_id", "resource", "source_id"])


def downgrade() -> None:
    op.drop_index("ix_dead_letters_entity", "dead_letters")
    op.drop_table("replay_items")
    op.drop_table("replay_batches")
    op.drop_column("customers", "applying_paused")
