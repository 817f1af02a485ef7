"""The fleet: revisions, slots, breakers, throttles, layers

Revision of the schema for schedules by layer, per-resource cadence, local-time slots, breakers and throttles.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


OPEN = sa.text("state IN ('pending', 'submitted')")
#: As `tables.events` has them: in the order in which they are read.
OPEN_INDEXES: dict[str, list[Any]] = {
    "ix_events_open": ["customer_id", "partition", sa.text("(origin = 'backfill')"), "event_id"],
    "ix_events_open_due": ["customer_id", "partition", "retry_at"],
}
OPEN_INDEXES_BEFORE: dict[str, list[Any]] = {
    "ix_events_open": ["customer_id", "partition", "event_id"],
    "ix_events_open_due": ["retry_at", "customer_id"],
}


#: A change of these columns counts for who schedules; parking does not.
SCHEDULED = (
    "name, status, tier, lane, time_zone, poll_interval_seconds, mode, cadences, "
    "source, source_settings, destination, destination_settings"
)
#: Stamps each changed customer with a new revision, also when a person changes the table by hand. The counter's row is
#: locked until the end of the transaction, so revisions become visible in their own order, and a reader that asks for
#: those above the last one it saw never misses any. One transaction counts once, however many customers it changes.
STAMP = """
CREATE FUNCTION stamp_customer_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  SELECT value INTO NEW.revision FROM revisions
   WHERE name = 'customers' AND changed_in = pg_current_xact_id()::text;
  IF NOT FOUND THEN
    INSERT INTO revisions (name, value, changed_in) VALUES ('customers', 1, pg_current_xact_id()::text)
    ON CONFLICT (name) DO UPDATE SET value = revisions.value + 1, changed_in = excluded.changed_in
    RETURNING value INTO NEW.revision;
  END IF;
  RETURN NEW;
END $$
"""
TRIGGER = f"""
CREATE TRIGGER stamp_customer_revision BEFORE INSERT OR UPDATE OF {SCHEDULED} ON customers
FOR EACH ROW EXECUTE FUNCTION stamp_customer_revision()
"""


#: Words that the code knows: one wrong word, written by hand, must not make the whole table unreadable.
WORDS = {
    "status": ("active", "paused", "offboarded"),
    "tier": ("premium", "standard", "basic"),
    "lane": ("priority", "standard", "background"),
    "mode": ("continuous", "nightly"),
}


def allow_only_known_words() -> None:
    for column, words in WORDS.items():
        listed = ", ".join(f"'{word}'" for word in words)
        op.create_check_constraint(f"ck_customers_{column}", "customers", f"{column} IN ({listed})")


def replace_indexes(indexes: dict[str, list[Any]]) -> None:
    for name, columns in indexes.items():
        op.drop_index(name, "events")
        op.create_index(name, "events", columns, postgresql_where=OPEN)


def upgrade() -> None:
    replace_indexes(OPEN_INDEXES)
    op.add_column("customers", sa.Column("mode", sa.Text(), server_default="continuous", nullable=False))
    op.add_column("customers", sa.Column("cadences", postgresql.JSONB(), server_default="{}", nullable=False))
    op.add_column("customers", sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("customers", sa.Column("revision", sa.BigInteger(), server_default="0", nullable=False))
    op.create_index("ix_customers_revision", "customers", ["revision"])
    op.create_table(
        "revisions",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("changed_in", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_revisions")),
    )
    op.execute(STAMP)
    op.execute(TRIGGER)
    allow_only_known_words()
    op.create_check_constraint("ck_customers_poll_interval_seconds", "customers", "poll_interval_seconds >= 1")
    op.create_table(
        "beats",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("published_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_beats")),
    )
    op.create_table(
        "throttles",
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("fraction", sa.Double(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("system", "lane", name=op.f("pk_throttles")),
    )
    op.create_table(
        "slots",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("layer", sa.Text(), nullable=False),
        sa.Column("slot_date", sa.Date(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.customer_id"], name=op.f("fk_slots_customer_id")),
        sa.PrimaryKeyConstraint("customer_id", "layer", name=op.f("pk_slots")),
    )
    op.create_table(
        "breakers",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("openings", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("probe_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.customer_id"], name=op.f("fk_breakers_customer_id")),
        sa.PrimaryKeyConstraint("customer_id", "system", name=op.f("pk_breakers")),
    )
    op.add_column("checkpoints", sa.Column("layer", sa.Text(), server_default="poll", nullable=False))
    op.add_column("checkpoints", sa.Column("failed_runs", sa.Integer(), server_default="0", nullable=False))
    op.drop_constraint("pk_checkpoints", "checkpoints", type_="primary")
    op.create_primary_key("pk_checkpoints", "checkpoints", ["customer_id", "resource", "layer"])
    # Runs that ended have left JSON's null there until now.
    op.execute("UPDATE checkpoints SET progress = NULL WHERE progress = 'null'::jsonb")


def downgrade() -> None:
    replace_indexes(OPEN_INDEXES_BEFORE)
    op.execute("DELETE FROM checkpoints WHERE layer <> 'poll'")
    op.drop_constraint("pk_checkpoints", "checkpoints", type_="primary")
    op.create_primary_key("pk_checkpoints", "checkpoints", ["customer_id", "resource"])
    op.drop_column("checkpoints", "failed_runs")
    op.drop_column("checkpoints", "layer")
    for column in (*WORDS, "poll_interval_seconds"):
        op.drop_constraint(f"ck_customers_{column}", "customers")
    op.execute("DROP TRIGGER stamp_customer_revision ON customers")
    op.execute("DROP FUNCTION stamp_customer_revision")
    for table in ("breakers", "slots", "throttles", "beats", "revisions"):
        op.drop_table(table)
    op.drop_index("ix_customers_revision", "customers")
    for column in ("revision", "paused_until", "cadences", "mode"):
        op.drop_column("customers", column)
