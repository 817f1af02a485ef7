"""Backfill: the hours in which a customer's may read, and what an unsealed one has kept"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("customers", sa.Column("backfill_hours", sa.Text(), server_default="", nullable=False))
    op.add_column("checkpoints", sa.Column("backfill", JSONB(), nullable=True))


def downgrade() -> None:
    op.drop_column("checkpoints", "backfill")
    op.drop_column("customers", "backfill_hours")
