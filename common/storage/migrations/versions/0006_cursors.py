"""Cursors: sources that tell what has changed since one

Where a source's changes go on from, beside the checkpoint's position. And the mirror's index for counting what a scan
has seen begins with the scan: as it was, it began like the primary key, and where statistics were older than a
customer, the planner went through all of its records by it to find a page's, once for each page.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("checkpoints", sa.Column("cursor", sa.Text(), server_default="", nullable=False))
    op.drop_index("ix_mirror_customer_id_resource_scan_id", table_name="mirror")
    op.create_index("ix_mirror_scan", "mirror", ["scan_id"])


def downgrade() -> None:
    op.drop_index("ix_mirror_scan", table_name="mirror")
    op.create_index("ix_mirror_customer_id_resource_scan_id", "mirror", ["customer_id", "resource", "scan_id"])
    op.drop_column("checkpoints", "cursor")
