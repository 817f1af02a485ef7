"""Nights: one batch of one nightly customer, a row each."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

OPEN = sa.text("state = 'open'")


def _moment(name: str, *, nullable: bool) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _body(name: str) -> sa.Column[object]:
    return sa.Column(name, postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "nights",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("night_date", sa.Date(), nullable=False),
        sa.Column("part", sa.SmallInteger(), server_default="1", autoincrement=False, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("state", "phase")),
        *(sa.Column(name, sa.Text(), server_default="", nullable=False) for name in ("verdict", "reason")),
        *(_moment(name, nullable=False) for name in ("claimed_at", "next_step_at")),
        *(_moment(name, nullable=True) for name in ("started_at", "deadline_at", "finished_at", "next_at")),
        *(sa.Column(name, sa.Integer(), server_default="0", nullable=False) for name in ("attempts", "pauses")),
        *map(_body, ("probes", "report")),
        sa.Column("forgiven", sa.Boolean(), server_default="false", nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.customer_id"], name=op.f("fk_nights_customer_id")),
        sa.PrimaryKeyConstraint("customer_id", "night_date", "part", name=op.f("pk_nights")),
    )
    op.create_index("ix_nights_open", "nights", ["customer_id"], unique=True, postgresql_where=OPEN)
    op.create_index("ix_nights_due", "nights", ["next_step_at"], postgresql_where=OPEN)


def downgrade() -> None:
    op.drop_table("nights")
