"""Every table. All that hold a customer's data are keyed by customer_id first: no query can forget whose it reads."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)

#: The SQL of `OPEN_STATES`; partial indexes keep finished events out of every hot query.
OPEN = text("state IN ('pending', 'submitted')")
#: Orders live events before a backfill's.
BACKFILL_LAST = text("(origin = 'backfill')")
UNRESOLVED = text("state IN ('open', 'unknown', 'submitted')")


def _moment(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _customer() -> Column[str]:
    return Column("customer_id", Text, ForeignKey("customers.customer_id"), primary_key=True)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default="0")


customers = Table(
    "customers",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("status", Text, nullable=False),
    _text("status_reason"),
    Column("tier", Text, nullable=False),
    Column("lane", Text, nullable=False),
    _moment("parked_until", nullable=True),
    _text("parked_reason"),
    Column("time_zone", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("poll_interval_seconds", Integer),
    Column("source", Text, nullable=False),
    Column("source_settings", JSONB, nullable=False),
    Column("destination", Text, nullable=False),
    Column("destination_settings", JSONB, nullable=False),
    # `continuous` (polled at a cadence) or `nightly` (once a night, at its slot).
    Column("mode", Text, nullable=False, server_default="continuous"),
    # Seconds by resource, for those that are polled apart from the rest.
    Column("cadences", JSONB, nullable=False, server_default=text("'{}'")),
    # What becomes of each resource's fields at the destination; see `common.domain.mapping`.
    Column("mapping", JSONB, nullable=False, server_default=text("'{}'")),
    # A pause that ends by itself; null: only a person ends it.
    _moment("paused_until", nullable=True),
    # The value of `revisions` at its last change of configuration or status.
    Column("revision", BigInteger, nullable=False, server_default="0"),
    _moment("created_at"),
    _moment("updated_at"),
    Index(None, "revision"),
)

# Counts changes of customers, so that a reader asks for what is new and not for everything; kept by a trigger, see the
# migration.
revisions = Table(
    "revisions",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
    # The transaction that raised it last: one counts once, however many customers it changes.
    _text("changed_in"),
)

# Up to when a leading beat has published every turn: where its successor goes on.
beats = Table(
    "beats",
    metadata,
    Column("name", Text, primary_key=True),
    _moment("published_until"),
)

# Fleet-wide: the part of every customer's limit at a system that may be used now. Lane '' is all lanes.
throttles = Table(
    "throttles",
    metadata,
    Column("system", Text, primary_key=True),
    Column("lane", Text, primary_key=True),
    Column("fraction", Double, nullable=False),
    _text("reason"),
    Column("actor", Text, nullable=False),
    _moment("set_at"),
)

data_keys = Table(
    "data_keys",
    metadata,
    _customer(),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("master_key_id", Text, nullable=False),
    _moment("created_at"),
)

credentials = Table(
    "credentials",
    metadata,
    _customer(),
    Column("system", Text, primary_key=True),
    Column("ciphertext", LargeBinary, nullable=False),
    _moment("updated_at"),
)

budgets = Table(
    "budgets",
    metadata,
    _customer(),
    Column("system", Text, primary_key=True),
    _moment("first_used_at"),
)

# The last local date for which a layer's daily slot was claimed: claimed once, run once.
slots = Table(
    "slots",
    metadata,
    _customer(),
    Column("layer", Text, primary_key=True),
    Column("slot_date", Date, nullable=False),
    _moment("claimed_at"),
)

# One per customer and system in trouble; no row: closed, and no failure in sight.
breakers = Table(
    "breakers",
    metadata,
    _customer(),
    Column("system", Text, primary_key=True),
    Column("state", Text, nullable=False),
    # Failures in a row while closed; times it opened in a row.
    _count("failures"),
    _count("openings"),
    _text("reason"),
    # Open: when one probe may pass. Half-open: when the probe that is out counts as lost. Null: not by time.
    _moment("probe_at", nullable=True),
    _moment("changed_at"),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    _customer(),
    Column("resource", Text, primary_key=True),
    # Which layer's progress this is; only that of `poll` has a position.
    Column("layer", Text, primary_key=True, server_default="poll"),
    # In a row; a run that ends well sets it back.
    _count("failed_runs"),
    _moment("position", nullable=True),
    # The run that may write here; another run's id fences the one before.
    Column("run_id", Text),
    # No progress is SQL's null, not JSON's: conditions ask for it.
    Column("progress", JSONB(none_as_null=True)),
    _moment("continue_at", nullable=True),
    _moment("updated_at"),
    Index(None, "continue_at", postgresql_where=text("continue_at IS NOT NULL")),
)

runs = Table(
    "runs",
    metadata,
    _customer(),
    Column("run_id", Text, primary_key=True),
    Column("resource", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    _moment("started_at"),
    _moment("finished_at", nullable=True),
    _count("requests"),
    _count("pages"),
    _count("read"),
    _count("detected"),
    _count("unchanged"),
    _count("stale"),
    _count("broken"),
    _text("error"),
    Index(None, "customer_id", "started_at"),
)

mirror = Table(
    "mirror",
    metadata,
    _customer(),
    Column("resource", Text, primary_key=True),
    Column("source_id", Text, primary_key=True),
    # 1, 2, 3 ... with each change we have seen: the order of the entity's events.
    Column("version", BigInteger, nullable=False),
    _moment("source_updated_at"),
    Column("content_hash", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("raw", JSONB, nullable=False),
    Column("scan_id", Text, nullable=False),
    _moment("seen_at"),
    _moment("deleted_at", nullable=True),
    # Which scope shows it, of a resource that is read scope by scope.
    _text("scope"),
    # Sealed readings of its scope in a row that did not show it: one may err, two are evidence.
    Column("absences", SmallInteger, nullable=False, server_default="0"),
    Index(None, "customer_id", "resource", "scan_id"),
    Index("ix_mirror_scope", "customer_id", "resource", "scope", postgresql_where=text("scope <> ''")),
)

# What is read scope by scope, and when next: the members of one group, the participants of one date, a short list.
scopes = Table(
    "scopes",
    metadata,
    _customer(),
    Column("resource", Text, primary_key=True),
    Column("scope", Text, primary_key=True),
    # The parent's version that `due_at` was reckoned from; 0: it has no parent.
    Column("parent_version", BigInteger, nullable=False, server_default="0"),
    # Null: not until its parent changes.
    _moment("due_at", nullable=True),
    _moment("read_at", nullable=True),
    Index(None, "customer_id", "resource", "due_at", postgresql_where=text("due_at IS NOT NULL")),
)

events = Table(
    "events",
    metadata,
    _customer(),
    Column("event_id", BigInteger, Identity(always=True), primary_key=True),
    Column("resource", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("partition", SmallInteger, nullable=False),
    Column("action", Text, nullable=False),
    Column("event_version", SmallInteger, nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("origin", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("coalesce", Boolean, nullable=False, server_default=text("true")),
    Column("state", Text, nullable=False),
    _text("reason"),
    _count("attempts"),
    _moment("occurred_at"),
    _moment("detected_at"),
    _moment("retry_at"),
    _moment("finished_at", nullable=True),
    # `<resource>/<source id>` of the entity whose link it waits for; recorded, it makes this one due.
    _text("waits_for"),
    Index("ix_events_waiting", "customer_id", "waits_for", postgresql_where=text("waits_for <> ''")),
    Index("ix_events_entity_version", "customer_id", "resource", "source_id", "version", unique=True),
    # In the order in which a slice takes them.
    Index("ix_events_open", "customer_id", "partition", BACKFILL_LAST, "event_id", postgresql_where=OPEN),
    Index("ix_events_open_entity", "customer_id", "resource", "source_id", "retry_at", postgresql_where=OPEN),
    Index("ix_events_open_due", "customer_id", "partition", "retry_at", postgresql_where=OPEN),
    Index("ix_events_run", "customer_id", "run_id"),
)

links = Table(
    "links",
    metadata,
    _customer(),
    Column("resource", Text, primary_key=True),
    Column("source_id", Text, primary_key=True),
    Column("destination_id", Text, nullable=False),
    Column("details", JSONB, nullable=False),
    Column("applied_version", BigInteger, nullable=False),
    _text("applied_hash"),
    _moment("created_at"),
    _moment("updated_at"),
)

writes = Table(
    "writes",
    metadata,
    _customer(),
    Column("write_id", Text, primary_key=True),
    Column("resource", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("event_id", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("operation", Text, nullable=False),
    Column("mapped_hash", Text, nullable=False),
    Column("state", Text, nullable=False),
    _text("destination_id"),
    _moment("started_at"),
    _moment("settles_at"),
    _moment("finished_at", nullable=True),
    # At most one write of an entity may be without a known outcome.
    Index("ix_writes_unresolved", "customer_id", "resource", "source_id", unique=True, postgresql_where=UNRESOLVED),
)

# Whose an e-mail address is, and was: one entity's at a time, from its first use in a write on.
emails = Table(
    "emails",
    metadata,
    _customer(),
    Column("email", Text, primary_key=True),
    Column("resource", Text, primary_key=True),
    Column("source_id", Text, primary_key=True),
    _moment("first_used_at"),
    # Null: it is the entity's address now.
    _moment("left_at", nullable=True),
    Index("ix_emails_entity", "customer_id", "resource", "source_id"),
)

# Entities that wait for a person's decision; `decision` is what was decided: '', 'link' or 'create'.
reviews = Table(
    "reviews",
    metadata,
    _customer(),
    Column("resource", Text, primary_key=True),
    Column("source_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("candidates", JSONB, nullable=False),
    Column("state", Text, nullable=False),
    _text("decision"),
    _moment("created_at"),
    _moment("resolved_at", nullable=True),
    Index("ix_reviews_open", "customer_id", postgresql_where=text("state = 'open'")),
)

# What an account was found to have or allow; see `common.domain.references`.
reference_cache = Table(
    "reference_cache",
    metadata,
    _customer(),
    Column("name", Text, primary_key=True),
    Column("value", JSONB, nullable=False),
    _moment("fetched_at"),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    _customer(),
    Column("dead_letter_id", BigInteger, Identity(always=True), primary_key=True),
    Column("event_id", BigInteger, nullable=False),
    Column("resource", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    # Where it failed: `detect` (the source's item was unreadable) or `apply`.
    Column("stage", Text, nullable=False),
    Column("reason", Text, nullable=False),
    _text("field"),
    _text("message"),
    Column("status", Integer),
    # What the other system said. May hold personal data: shown on request, never logged.
    _text("detail"),
    _count("attempts"),
    Column("run_id", Text, nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    _text("resolution"),
    _moment("created_at"),
    _moment("resolved_at", nullable=True),
    Index("ix_dead_letters_open", "customer_id", postgresql_where=text("state = 'open'")),
    Index("ix_dead_letters_event", "customer_id", "event_id"),
)

audit = Table(
    "audit",
    metadata,
    _customer(),
    Column("audit_id", BigInteger, Identity(always=True), primary_key=True),
    _moment("at"),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    _text("detail"),
)
