"""The three-way check

What the destination was last read to hold, record by record, and the last certificate of each resource.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _keys(table: str, *names: str) -> tuple[sa.ForeignKeyConstraint, sa.PrimaryKeyConstraint]:
    return (
        sa.ForeignKeyConstraint(["customer_id"], ["customers.customer_id"], name=op.f(f"fk_{table}_customer_id")),
        sa.PrimaryKeyConstraint(*names, name=op.f(f"pk_{table}")),
    )


def upgrade() -> None:
    op.create_table(
        "verified",
        *_texts("customer_id", "resource", "source_id", "destination_id"),
        sa.Column("version", sa.BigInteger(), nullable=False),
        *_texts("wanted_hash", "mapped_hash"),
        sa.Column("fields", postgresql.JSONB(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        *_keys("verified", "customer_id", "resource", "source_id"),
    )
    op.create_index("ix_verified_read_at", "verified", ["customer_id", "resource", "read_at"])
    op.create_table(
        "verifications",
        *_texts("customer_id", "resource"),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_from", sa.DateTime(timezone=True), nullable=True),
        *_texts("highest"),
        sa.Column("there", sa.BigInteger(), nullable=False),
        sa.Column("certificate", postgresql.JSONB(), nullable=False),
        *_keys("verifications", "customer_id", "resource"),
    )


def downgrade() -> None:
    op.drop_table("verifications")
    op.drop_table("verified")
