"""Every resource: scopes, waiting events, identity, mapping

Resources that are read scope by scope, events that wait for another entity's link, whose an e-mail address is, what a
person has to decide, and what an account was found to have.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _key(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in ("customer_id", *names)]


def _keys(table: str, *names: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.ForeignKeyConstraint(["customer_id"], ["customers.customer_id"], name=op.f(f"fk_{table}_customer_id")),
        sa.PrimaryKeyConstraint("customer_id", *names, name=op.f(f"pk_{table}")),
    ]


def upgrade() -> None:
    _widen()
    _create()


def _widen() -> None:
    op.add_column("customers", sa.Column("mapping", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False))
    op.add_column("mirror", _text("scope"))
    op.add_column("mirror", sa.Column("absences", sa.SmallInteger(), server_default="0", nullable=False))
    op.create_index(
        "ix_mirror_scope", "mirror", ["customer_id", "resource", "scope"], postgresql_where=sa.text("scope <> ''")
    )
    op.add_column("runs", sa.Column("deleted", sa.Integer(), server_default="0", nullable=False))
    op.add_column("events", _text("waits_for"))
    op.add_column("events", sa.Column("defects", sa.Integer(), server_default="0", nullable=False))
    op.create_index(
        "ix_events_waiting", "events", ["customer_id", "waits_for"], postgresql_where=sa.text("waits_for <> ''")
    )
    op.create_index("ix_links_destination", "links", ["customer_id", "resource", "destination_id"])


def _create() -> None:
    op.create_table(
        "scopes",
        *_key("resource", "scope"),
        sa.Column("parent_version", sa.BigInteger(), server_default="0", nullable=False),
        _moment("due_at", nullable=True),
        sa.Column("is_history", sa.Boolean(), server_default="false", nullable=False),
        _moment("read_at", nullable=True),
        _moment("whole_at", nullable=True),
        *_keys("scopes", "resource", "scope"),
    )
    op.create_index(
        op.f("ix_scopes_customer_id_resource_is_history_due_at"),
        "scopes",
        ["customer_id", "resource", "is_history", "due_at"],
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_table(
        "emails",
        *_key("email", "resource", "source_id"),
        _moment("first_used_at"),
        _moment("left_at", nullable=True),
        *_keys("emails", "email", "resource", "source_id"),
    )
    op.create_index("ix_emails_entity", "emails", ["customer_id", "resource", "source_id"])
    op.create_index(
        "ix_emails_current",
        "emails",
        ["customer_id", "email"],
        unique=True,
        postgresql_where=sa.text("left_at IS NULL"),
    )
    op.create_table(
        "reviews",
        *_key("resource", "source_id", "kind", "reason"),
        sa.Column("candidates", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        _text("decision"),
        _moment("created_at"),
        _moment("resolved_at", nullable=True),
        *_keys("reviews", "resource", "source_id"),
    )
    op.create_index("ix_reviews_open", "reviews", ["customer_id"], postgresql_where=sa.text("state = 'open'"))
    op.create_table(
        "reference_cache",
        *_key("name"),
        sa.Column("value", postgresql.JSONB(), nullable=False),
        _moment("fetched_at"),
        *_keys("reference_cache", "name"),
    )


def downgrade() -> None:
    for table in ("reference_cache", "reviews", "emails", "scopes"):
        op.drop_table(table)
    op.drop_index("ix_links_destination", table_name="links")
    op.drop_index("ix_events_waiting", table_name="events")
    for column in ("defects", "waits_for"):
        op.drop_column("events", column)
    op.drop_column("runs", "deleted")
    op.drop_index("ix_mirror_scope", table_name="mirror")
    for column in ("absences", "scope"):
        op.drop_column("mirror", column)
    op.drop_column("customers", "mapping")
