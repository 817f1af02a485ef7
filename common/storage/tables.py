"""Every table. All that hold a customer's data are keyed by customer_id first: no query can forget whose it reads."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Double,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from common.storage.columns import count, customer, metadata, moment, text_column

#: The SQL of `OPEN_STATES`; partial indexes keep finished events out of every hot query.
OPEN = text("state IN ('pending', 'submitted')")
#: Orders live events before a backfill's.
BACKFILL_LAST = text("(origin = 'backfill')")
UNRESOLVED = text("state IN ('open', 'unknown', 'submitted')")

customers = Table(
    "customers",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("status", Text, nullable=False),
    text_column("status_reason"),
    # Why nothing is applied although it is polled; empty: it is applied.
    text_column("applying_paused"),
    Column("tier", Text, nullable=False),
    Column("lane", Text, nullable=False),
    moment("parked_until", nullable=True),
    text_column("parked_reason"),
    Column("time_zone", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("poll_interval_seconds", Integer),
    Column("source", Text, nullable=False),
    Column("source_settings", JSONB, nullable=False),
    Column("destination", Text, nullable=False),
    Column("destination_settings", JSONB, nullable=False),
    # `continuous` (polled at a cadence) or `nightly` (once a night, at its slot).
    Column("mode", Text, nullable=False, server_default="continuous"),
    # Local times between which a backfill may read, HH:MM-HH:MM; empty: any time.
    text_column("backfill_hours"),
    # Seconds by resource, for those that are polled apart from the rest.
    Column("cadences", JSONB, nullable=False, server_default=text("'{}'")),
    # What becomes of each resource's fields at the destination; see `common.domain.mapping`.
    Column("mapping", JSONB, nullable=False, server_default=text("'{}'")),
    # A pause that ends by itself; null: only a person ends it.
    moment("paused_until", nullable=True),
    # The value of `revisions` at its last change of configuration or status.
    Column("revision", BigInteger, nullable=False, server_default="0"),
    moment("created_at"),
    moment("updated_at"),
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
    text_column("changed_in"),
)

# Up to when a leading beat has published every turn: where its successor goes on.
beats = Table("beats", metadata, Column("name", Text, primary_key=True), moment("published_until"))

# Fleet-wide: the part of every customer's limit at a system that may be used now. Lane '' is all lanes.
throttles = Table(
    "throttles",
    metadata,
    Column("system", Text, primary_key=True),
    Column("lane", Text, primary_key=True),
    Column("fraction", Double, nullable=False),
    text_column("reason"),
    Column("actor", Text, nullable=False),
    moment("set_at"),
)

data_keys = Table(
    "data_keys",
    metadata,
    customer(),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("master_key_id", Text, nullable=False),
    moment("created_at"),
)

credentials = Table(
    "credentials",
    metadata,
    customer(),
    Column("system", Text, primary_key=True),
    Column("ciphertext", LargeBinary, nullable=False),
    moment("updated_at"),
)

budgets = Table(
    "budgets",
    metadata,
    customer(),
    Column("system", Text, primary_key=True),
    moment("first_used_at"),
)

# The last local date for which a layer's daily slot was claimed: claimed once, run once.
slots = Table(
    "slots",
    metadata,
    customer(),
    Column("layer", Text, primary_key=True),
    Column("slot_date", Date, nullable=False),
    moment("claimed_at"),
)

# One per customer and system in trouble; no row: closed, and no failure in sight.
breakers = Table(
    "breakers",
    metadata,
    customer(),
    Column("system", Text, primary_key=True),
    Column("state", Text, nullable=False),
    # Failures in a row while closed; times it opened in a row.
    count("failures"),
    count("openings"),
    text_column("reason"),
    # Open: when one probe may pass. Half-open: when the probe that is out counts as lost. Null: not by time.
    moment("probe_at", nullable=True),
    moment("changed_at"),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    customer(),
    Column("resource", Text, primary_key=True),
    # Which layer's progress this is; only that of `poll` has a position.
    Column("layer", Text, primary_key=True, server_default="poll"),
    # In a row; a run that ends well sets it back.
    count("failed_runs"),
    moment("position", nullable=True),
    # Where a source's changes go on from, in its own words.
    text_column("cursor"),
    # The run that may write here; another run's id fences the one before.
    Column("run_id", Text),
    # No progress is SQL's null, not JSON's: conditions ask for it.
    Column("progress", JSONB(none_as_null=True)),
    # What a backfill that was not sealed has sealed of its windows: the next run goes on from there.
    Column("backfill", JSONB(none_as_null=True)),
    moment("continue_at", nullable=True),
    moment("updated_at"),
    Index(None, "continue_at", postgresql_where=text("continue_at IS NOT NULL")),
)

runs = Table(
    "runs",
    metadata,
    customer(),
    Column("run_id", Text, primary_key=True),
    Column("resource", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    moment("started_at"),
    moment("finished_at", nullable=True),
    count("requests"),
    count("pages"),
    count("read"),
    count("detected"),
    count("unchanged"),
    count("stale"),
    count("broken"),
    count("deleted"),
    count("held"),
    text_column("error"),
    Index(None, "customer_id", "started_at"),
)

mirror = Table(
    "mirror",
    metadata,
    customer(),
    Column("resource", Text, primary_key=True),
    Column("source_id", Text, primary_key=True),
    # 1, 2, 3 ... with each change we have seen: the order of the entity's events.
    Column("version", BigInteger, nullable=False),
    moment("source_updated_at"),
    Column("content_hash", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("raw", JSONB, nullable=False),
    Column("scan_id", Text, nullable=False),
    moment("seen_at"),
    moment("deleted_at", nullable=True),
    # Which scope shows it, of a resource that is read scope by scope.
    text_column("scope"),
    # Sealed readings of its scope in a row that did not show it: one may err, two are evidence.
    Column("absences", SmallInteger, nullable=False, server_default="0"),
    # The last full scan that has shown it, of a resource that is not read scope by scope.
    text_column("full_scan_id"),
    # It must not begin as the primary key does: without fresh statistics, a page's records would be sought by it.
    Index("ix_mirror_scan", "scan_id"),
    Index("ix_mirror_scope", "customer_id", "resource", "scope", postgresql_where=text("scope <> ''")),
)

# What is read scope by scope, and when next: the members of one group, the participants of one date, a short list.
scopes = Table(
    "scopes",
    metadata,
    customer(),
    Column("resource", Text, primary_key=True),
    Column("scope", Text, primary_key=True),
    # The parent's version that `due_at` was reckoned from; 0: it has no parent.
    Column("parent_version", BigInteger, nullable=False, server_default="0"),
    # Null: not until its parent changes.
    moment("due_at", nullable=True),
    # Was never read, and can wait.
    Column("is_history", Boolean, nullable=False, server_default="false"),
    moment("read_at", nullable=True),
    # The last reading that counted as evidence.
    moment("whole_at", nullable=True),
    Index(None, "customer_id", "resource", "is_history", "due_at", postgresql_where=text("due_at IS NOT NULL")),
)

events = Table(
    "events",
    metadata,
    customer(),
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
    text_column("reason"),
    count("attempts"),
    count("failures"),
    # Failures count all requests it was in; of the attempts, defects are those of ours: a third is a dead letter.
    count("defects"),
    moment("occurred_at"),
    moment("detected_at"),
    moment("retry_at"),
    moment("finished_at", nullable=True),
    # `<resource>/<source id>` of the entity whose link it waits for, or `newer`: any newer event of its own entity.
    # Recorded, it makes this one due.
    text_column("waits_for"),
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
    customer(),
    Column("resource", Text, primary_key=True),
    Column("source_id", Text, primary_key=True),
    Column("destination_id", Text, nullable=False),
    Column("details", JSONB, nullable=False),
    Column("applied_version", BigInteger, nullable=False),
    text_column("applied_hash"),
    moment("created_at"),
    moment("updated_at"),
    # Who else is linked to a record.
    Index("ix_links_destination", "customer_id", "resource", "destination_id"),
)

writes = Table(
    "writes",
    metadata,
    customer(),
    Column("write_id", Text, primary_key=True),
    Column("resource", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("event_id", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("operation", Text, nullable=False),
    Column("mapped_hash", Text, nullable=False),
    Column("state", Text, nullable=False),
    text_column("destination_id"),
    moment("started_at"),
    moment("settles_at"),
    moment("finished_at", nullable=True),
    # At most one write of an entity may be without a known outcome.
    Index("ix_writes_unresolved", "customer_id", "resource", "source_id", unique=True, postgresql_where=UNRESOLVED),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    customer(),
    Column("dead_letter_id", BigInteger, Identity(always=True), primary_key=True),
    Column("event_id", BigInteger, nullable=False),
    Column("resource", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    # Where it failed: `detect` (the source's item was unreadable) or `apply`.
    Column("stage", Text, nullable=False),
    Column("reason", Text, nullable=False),
    text_column("field"),
    text_column("message"),
    Column("status", Integer),
    # What the other system said. May hold personal data: shown on request, never logged.
    text_column("detail"),
    count("attempts"),
    Column("run_id", Text, nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    text_column("resolution"),
    moment("created_at"),
    moment("resolved_at", nullable=True),
    Index("ix_dead_letters_open", "customer_id", postgresql_where=text("state = 'open'")),
    Index("ix_dead_letters_event", "customer_id", "event_id"),
)

audit = Table(
    "audit",
    metadata,
    customer(),
    Column("audit_id", BigInteger, Identity(always=True), primary_key=True),
    moment("at"),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    text_column("detail"),
)
