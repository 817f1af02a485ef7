"""The twin of `common.storage.delivery`: the same rules on rows in memory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from common.domain.entities import EntityKey
from common.domain.errors import LockLost
from common.domain.events import FINAL_STATES, Event, EventState, Origin
from common.domain.gathering import Gathering
from common.domain.writes import (
    UNRESOLVED_STATES,
    EventOutcome,
    Intent,
    Link,
    Refusal,
    SliceOutcome,
    WriteOutcome,
    WriteState,
)
from common.storage.memory import identities
from common.storage.memory.attempts import record_attempts
from common.storage.memory.tables import EventRow, LetterRow, MemoryTables, Rows, WriteRow


class MemoryDeliveryStore:
    """Implements `common.domain.stores.DeliveryStore`."""

    def __init__(self, tables: MemoryTables) -> None:
        self._tables = tables

    def due_partitions(self, customer_id: str, now: datetime) -> Sequence[int]:
        waiting_since: dict[int, datetime] = {}
        for row in self._appliable(customer_id, now):
            partition = row.event.partition
            waiting_since[partition] = min(row.retry_at, waiting_since.get(partition, row.retry_at))
        return sorted(waiting_since, key=lambda partition: waiting_since[partition])

    def read_slice(self, customer_id: str, partition: int, now: datetime, limit: int) -> Sequence[Event]:
        own = [row.event for row in self._appliable(customer_id, now) if row.event.partition == partition]
        return sorted(own, key=lambda event: (event.origin == Origin.BACKFILL, event.event_id))[:limit]

    def read_events(self, customer_id: str, event_ids: Collection[int]) -> Sequence[Event]:
        rows = self._tables.rows.events
        found = [rows[event_id] for event_id in sorted(event_ids) if event_id in rows]
        return [row.event for row in found if row.is_open and row.event.entity.customer_id == customer_id]

    def gathering(self, customer_id: str, now: datetime, at_most: int) -> Gathering:
        del at_most  # counting on costs the twin nothing
        due = self._appliable(customer_id, now)
        backfill = [row.event.detected_at for row in due if row.event.origin == Origin.BACKFILL]
        live = [row.event.detected_at for row in due if row.event.origin != Origin.BACKFILL]
        return Gathering(
            count=len(due),
            live_since=min(live, default=None),
            backfill_since=min(backfill, default=None),
            is_urgent=any(row.retry_at > row.event.detected_at for row in due),
        )

    def newest_states(self, entities: Sequence[EntityKey]) -> Mapping[EntityKey, EventState]:
        rows = self._tables.rows
        own = {entity: [row.event for row in rows.events_of(entity)] for entity in entities}
        return {entity: max(events, key=lambda event: event.version).state for entity, events in own.items() if events}

    def _appliable(self, customer_id: str, now: datetime) -> list[EventRow]:
        """Open events that are due, none of an entity of which any must wait."""
        rows = self._tables.rows.events.values()
        open_rows = [row for row in rows if row.is_open and row.event.entity.customer_id == customer_id]
        held_back = {row.event.entity for row in open_rows if row.retry_at > now}
        return [row for row in open_rows if row.event.entity not in held_back]

    def links(self, entities: Sequence[EntityKey]) -> Mapping[EntityKey, Link]:
        found = self._tables.rows.links
        return {entity: found[entity] for entity in entities if entity in found}

    def links_to(self, customer_id: str, resource: str, destination_ids: Collection[str]) -> Sequence[Link]:
        own = [link for entity, link in self._tables.rows.links.items() if entity.customer_id == customer_id]
        found = [link for link in own if link.entity.resource == resource and link.destination_id in destination_ids]
        return [link for link in found if not link.was_removed]

    def unresolved(self, entities: Sequence[EntityKey]) -> Mapping[EntityKey, Intent]:
        wanted = set(entities)
        writes = self._tables.rows.writes.values()
        return {w.intent.entity: w.intent for w in writes if w.is_unresolved and w.intent.entity in wanted}

    def begin(self, intents: Sequence[Intent]) -> None:
        with self._tables.transaction() as rows:
            _require_open(rows, intents)
            for write_id in {intent.replaces for intent in intents} & rows.writes.keys():
                if rows.writes[write_id].is_unresolved:
                    _end_write(rows, WriteOutcome(write_id=write_id, state=WriteState.LOOKED), intents[0].started_at)
            identities.claim(rows, intents)
            for intent in intents:
                _insert_write(rows, intent)

    def record(self, customer_id: str, outcome: SliceOutcome, now: datetime) -> None:
        with self._tables.transaction() as rows:
            for write in outcome.writes:
                _record_write(rows, customer_id, write, now)
            _record_links(rows, outcome.links, now)
            identities.record(rows, outcome, now)
            for event in outcome.events:
                _record_event(rows, customer_id, event, now)
            record_attempts(rows, customer_id, outcome.attempts)
            _wake(rows, now)
            _supersede(rows, outcome.events, now)

    def apply_again(self, entities: Sequence[EntityKey], now: datetime) -> None:
        with self._tables.transaction() as rows:
            for entity in entities:
                if entity in rows.links:
                    rows.links[entity] = rows.links[entity].doubted()
                if entity in rows.mirror:
                    self._apply_again(rows, entity, now)

    def _apply_again(self, rows: Rows, entity: EntityKey, now: datetime) -> None:
        """The mirrored state, as a new version in the outbox."""
        known = rows.mirror[entity]
        rows.mirror[entity] = replace(known, version=known.version + 1)
        previous = max((row.event for row in rows.events_of(entity)), key=lambda event: event.version)
        again = replace(
            previous, event_id=self._tables.next_event_id(), version=known.version + 1, payload=known.body,
            origin=Origin.REPLAY, state=EventState.PENDING, attempts=0, failures=0, defects=0,
            occurred_at=known.source_updated_at, detected_at=now,
        )  # fmt: skip
        rows.insert_event(EventRow(event=again, retry_at=now))

    def email_owners(self, customer_id: str, addresses: Sequence[str]) -> Mapping[str, EntityKey]:
        return identities.owners_of(self._tables.rows, customer_id, addresses)

    def cleared(self, entities: Sequence[EntityKey]) -> Collection[EntityKey]:
        return identities.cleared(self._tables.rows, entities)

    def open_dead_letters(self, customer_id: str) -> int:
        return sum(letter.entity.customer_id == customer_id for letter in self._tables.dead_letters)


def _require_open(rows: Rows, intents: Sequence[Intent]) -> None:
    """Raises LockLost if one of their events has ended."""
    ended = {event_id for event_id, row in rows.events.items() if not row.is_open}
    if ended & {intent.event_id for intent in intents}:
        raise LockLost("another worker has ended an event of this slice")


def _insert_write(rows: Rows, intent: Intent) -> None:
    """Raises LockLost for an id that is taken, or an entity with two writes of unknown outcome."""
    taken = any(row.is_unresolved and row.intent.entity == intent.entity for row in rows.writes.values())
    if taken or intent.write_id in rows.writes:
        raise LockLost("another worker is writing the same entity")
    rows.writes[intent.write_id] = WriteRow(intent=intent)


def _end_write(rows: Rows, outcome: WriteOutcome, now: datetime) -> None:
    before = rows.writes[outcome.write_id].intent
    intent = replace(before, state=outcome.state, settles_at=outcome.settles_at or before.settles_at)
    finished_at = None if outcome.state in UNRESOLVED_STATES else now
    row = WriteRow(intent=intent, destination_id=outcome.destination_id, finished_at=finished_at)
    rows.writes[outcome.write_id] = row


def _record_write(rows: Rows, customer_id: str, outcome: WriteOutcome, now: datetime) -> None:
    row = rows.writes.get(outcome.write_id)
    if row is None or not row.is_unresolved or row.intent.entity.customer_id != customer_id:
        raise LockLost(f"customer {customer_id}: write {outcome.write_id} was taken over by another worker")
    _end_write(rows, outcome, now)


def _record_links(rows: Rows, found: Iterable[Link], now: datetime) -> None:
    """An older version never takes a newer one's place, and letters of older versions ask nothing any more."""
    for link in found:
        known = rows.links.get(link.entity)
        if known is None or known.applied_version <= link.applied_version:
            rows.links[link.entity] = link
        _close_older_letters(rows, link.entity, link.applied_version, "a newer version was applied", now)


def _close_older_letters(rows: Rows, entity: EntityKey, version: int, resolution: str, now: datetime) -> None:
    for place, letter in enumerate(rows.letters):
        older = letter.entity == entity and rows.events[letter.event_id].event.version < version
        if older and letter.state == "open":
            rows.letters[place] = replace(letter, state="superseded", resolution=resolution, resolved_at=now)


def _record_event(rows: Rows, customer_id: str, outcome: EventOutcome, now: datetime) -> None:
    row = rows.events.get(outcome.event_id)
    if row is None or not row.is_open or row.event.entity.customer_id != customer_id:
        return
    rows.events[outcome.event_id] = EventRow(
        event=replace(
            row.event,
            state=outcome.state,
            attempts=row.event.attempts + outcome.attempts,
            failures=row.event.failures + outcome.failures,
            defects=row.event.defects + outcome.defects,
        ),
        reason=outcome.reason,
        retry_at=outcome.retry_at or row.retry_at,
        finished_at=now if outcome.state in FINAL_STATES else None,
        waits_for=outcome.waits_for,
        until_newer=outcome.until_newer,
    )
    if outcome.state is EventState.SKIPPED:
        _close_older_letters(rows, row.event.entity, row.event.version, "a newer version was skipped", now)
        identities.settle(rows, row.event.entity)
    if outcome.refusal is not None:
        rows.letters.append(_letter(rows.events[outcome.event_id].event, outcome.refusal, now))


def _wake(rows: Rows, now: datetime) -> None:
    """What waits for an entity that has a link by now is due."""
    for event_id, row in rows.events.items():
        if row.is_open and row.waits_for in rows.links:
            rows.events[event_id] = replace(row, retry_at=now, waits_for=None, reason="")


def _supersede(rows: Rows, outcomes: Sequence[EventOutcome], now: datetime) -> None:
    """Whose newer event has come already does not wait: that one stands for it."""
    for row in [rows.events[outcome.event_id] for outcome in outcomes if outcome.event_id in rows.events]:
        own = [other.event for other in rows.events_of(row.event.entity) if other.is_open and other.event.coalesce]
        newest = max(own, key=lambda event: event.version, default=row.event)
        if row.until_newer and row.event.coalesce and newest.version > row.event.version:
            rows.events[row.event.event_id] = replace(
                row, event=replace(row.event, state=EventState.SUPERSEDED), until_newer=False, finished_at=now,
                reason=f"by version {newest.version} (event {newest.event_id})",
            )  # fmt: skip


def _letter(event: Event, refusal: Refusal, now: datetime) -> LetterRow:
    return LetterRow(
        entity=event.entity, event_id=event.event_id, stage="apply", reason=refusal.reason, field=refusal.field,
        message=refusal.message, status=refusal.status, detail=refusal.detail, attempts=event.attempts,
        run_id=event.run_id, trace_id=event.trace_id, created_at=now,
    )  # fmt: skip
