"""Deletions: full scans, and what the fuse holds

Which full scan has shown a record last, deletions that wait for a person, and how many of them a run came to.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def upgrade() -> None:
    op.add_column("mirror", _text("full_scan_id"))
    op.add_column("runs", sa.Column("held", sa.Integer(), server_default="0", nullable=False))
    op.create_table(
        "deletions",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("customer_id", "resource", "source_id", "state")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("origin", "run_id", "trace_id")),
        *map(_text, ("why", "actor")),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.customer_id"], name=op.f("fk_deletions_customer_id")),
        sa.PrimaryKeyConstraint("customer_id", "resource", "source_id", name=op.f("pk_deletions")),
    )
    op.create_index(
        "ix_deletions_held",
        "deletions",
        ["customer_id", "resource", "source_id"],
        postgresql_where=sa.text("state = 'held'"),
    )


def downgrade() -> None:
    op.drop_table("deletions")
    op.drop_column("runs", "held")
    op.drop_column("mirror", "full_scan_id")
