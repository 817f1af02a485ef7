"""The twin of `common.storage.detection`: the same rules on rows in memory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from common.domain import completions
from common.domain.checkpoints import Checkpoint, Progress, first_progress
from common.domain.entities import EntityKey, partition_of
from common.domain.errors import RunFenced
from common.domain.events import EVENT_VERSION, Action, Event, EventState
from common.domain.layers import LAYER_TERMS, Layer
from common.domain.records import BrokenRecord, Record, content_hash
from common.domain.runs import RunCounts, RunReport, RunState
from common.domain.sources import ResourceTerms
from common.domain.stores import DueAt, PageToSave, RunStart, ScopeEnd, ScopeToRead
from common.domain.windows import Windows
from common.storage.items import by_resource
from common.storage.memory import scopes
from common.storage.memory.pages import record_page
from common.storage.memory.removals import NOTHING, Removed, said_to_be_gone, settle
from common.storage.memory.tables import (
    CheckpointKey,
    CheckpointRow,
    EventRow,
    LetterRow,
    MemoryTables,
    MirrorRow,
    Rows,
)
from common.storage.removals import Finding

#: The `occurred_at` of an item whose own time could not be read.
UNREADABLE_TIME = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class _Item:
    """A record or a broken one, on its way into the mirror."""

    source_id: str
    updated_at: datetime
    content_hash: str
    body: Mapping[str, Any]
    raw: Any
    broken: BrokenRecord | None = None
    scope: str = ""


class MemoryDetectionStore:
    """Implements `common.domain.stores.DetectionStore`."""

    def __init__(self, tables: MemoryTables, *, partitions: int) -> None:
        self._tables = tables
        self._partitions = partitions

    def start_run(
        self, *, customer_id: str, resource: str, run_id: str, trace_id: str, now: datetime, layer: Layer = Layer.POLL,
        only_if_due: bool = False,
    ) -> RunStart:  # fmt: skip
        key = customer_id, resource, LAYER_TERMS[layer].progress_of
        with self._tables.transaction() as rows:
            row = rows.checkpoints.setdefault(key, CheckpointRow())
            first = first_progress(layer, row.position, run_id=run_id, trace_id=trace_id, now=now, windows=row.backfill)
            start = RunStart(
                checkpoint=Checkpoint(
                    customer_id=customer_id, resource=resource, position=row.position, cursor=row.cursor
                ),
                progress=row.progress or first,
                resumed=row.progress is not None,
            )
            if row.continue_at is not None and row.continue_at > now:
                return replace(start, waits_until=row.continue_at)
            if only_if_due and row.continue_at is None and row.progress is None:
                return replace(start, is_over=True)
            taken = replace(row, run_id=start.progress.run_id, progress=start.progress, continue_at=None)
            rows.checkpoints[key] = taken
            _open_report(rows, customer_id, resource, start.progress, now)
            return start

    def save_page(self, page: PageToSave, progress: Progress, *, end: ScopeEnd | None = None) -> RunCounts:
        with self._tables.transaction() as rows:
            key, row = _owned(rows, page.customer_id, page.resource, page.run_id)
            cursor = row.cursor if page.cursor is None else page.cursor
            rows.checkpoints[key] = replace(row, progress=progress, cursor=cursor)
            counts = RunCounts(requests=page.requests, pages=1)
            for own in by_resource(page):
                counts += self._save_items(rows, own)
            scopes.make_due(rows, page.customer_id, page.due, page.now)
            report = rows.runs[page.customer_id, page.run_id]
            rows.runs[page.customer_id, page.run_id] = replace(report, counts=report.counts + counts)
            record_page(rows, page)
            counts += self._remove(rows, page, said_to_be_gone(rows, page, page.resource, page.gone))
            return counts if end is None else counts + self._end(rows, end)

    def _save_items(self, rows: Rows, page: PageToSave) -> RunCounts:
        detected = unchanged = stale = broken = 0
        items = _newest_of_each([*map(_of_record, page.records), *map(_of_broken, page.broken)])
        for item in items:
            entity = EntityKey(customer_id=page.customer_id, resource=page.resource, source_id=item.source_id)
            known = rows.mirror.get(entity)
            if known is not None:
                scope = page.scope if page.shows_all else known.scope
                rows.mirror[entity] = replace(
                    known, scan_id=page.scan_id, seen_at=page.now, absences=0, scope=scope,
                    full_scan_id=page.full_scan_id or known.full_scan_id,
                )  # fmt: skip
                settle(rows, entity, page.now)
            if known is not None and item.broken is None and item.updated_at < known.source_updated_at:
                stale += 1
            elif known is not None and known.deleted_at is None and item.content_hash == known.content_hash:
                unchanged += 1
            else:
                detected += 1
                broken += item.broken is not None
                self._save_change(rows, page, entity, item, version=known.version + 1 if known else 1)
        return RunCounts(
            read=len(items), detected=detected, unchanged=unchanged, stale=stale,
            broken=broken,
        )  # fmt: skip

    def _save_change(self, rows: Rows, page: PageToSave, entity: EntityKey, item: _Item, *, version: int) -> None:
        event = Event(
            event_id=self._tables.next_event_id(), entity=entity, partition=partition_of(entity, self._partitions),
            action=Action.UPSERT, version=version, event_version=EVENT_VERSION, payload=dict(item.body),
            origin=page.origin, run_id=page.run_id, trace_id=page.trace_id,
            state=EventState.DEAD_LETTERED if item.broken else EventState.PENDING, attempts=0,
            detected_at=page.now, occurred_at=item.updated_at,
        )  # fmt: skip
        known = rows.mirror.get(entity)
        rows.mirror[entity] = MirrorRow(
            scope=_scope(page, item, known), version=version,
            source_updated_at=item.updated_at, content_hash=item.content_hash, body=dict(item.body), raw=item.raw,
            scan_id=page.scan_id, seen_at=page.now,
            full_scan_id=page.full_scan_id or (known.full_scan_id if known else ""),
        )  # fmt: skip
        reason = item.broken.reason if item.broken else ""
        finished_at = page.now if item.broken else None
        rows.insert_event(EventRow(event=event, retry_at=page.now, reason=reason, finished_at=finished_at))
        if item.broken:
            rows.letters.append(_letter(event, item.broken))

    def plan_scopes(self, customer_id: str, resource: str, terms: ResourceTerms, due_at: DueAt, now: datetime) -> None:
        with self._tables.transaction() as rows:
            scopes.plan(rows, customer_id, resource, terms, due_at, now)

    def unplan_scopes(self, customer_id: str) -> None:
        with self._tables.transaction() as rows:
            scopes.unplan(rows, customer_id)

    def next_scope(
        self, customer_id: str, resource: str, terms: ResourceTerms, now: datetime, *, read_before: datetime,
        history_first: bool = False,
    ) -> ScopeToRead | None:  # fmt: skip
        return scopes.most_urgent(
            self._tables.rows, customer_id, resource, terms, now, read_before=read_before, history_first=history_first
        )

    def scope(self, customer_id: str, resource: str, terms: ResourceTerms, scope: str) -> ScopeToRead:
        return scopes.one_scope(self._tables.rows, customer_id, resource, terms, scope)

    def end_scope(self, end: ScopeEnd, progress: Progress) -> RunCounts:
        with self._tables.transaction() as rows:
            key, row = _owned(rows, end.customer_id, end.resource, end.run_id)
            rows.checkpoints[key] = replace(row, progress=progress)
            return self._end(rows, end)

    def _end(self, rows: Rows, end: ScopeEnd) -> RunCounts:
        removed = scopes.count_absences(rows, end) if scopes.note_reading(rows, end) else NOTHING
        return self._remove(rows, end, removed)

    def end_look(self, end: ScopeEnd, source_id: str, progress: Progress) -> RunCounts:
        with self._tables.transaction() as rows:
            key, row = _owned(rows, end.customer_id, end.resource, end.run_id)
            rows.checkpoints[key] = replace(row, progress=progress)
            return self._remove(rows, end, scopes.look_for(rows, end, source_id))

    def _remove(self, rows: Rows, end: Finding, removed: Removed) -> RunCounts:
        for entity in removed.gone:
            rows.insert_event(EventRow(event=self._gone(rows, end, entity), retry_at=end.now))
        counts = RunCounts(deleted=len(removed.gone), held=removed.held)
        report = rows.runs[end.customer_id, end.run_id]
        rows.runs[end.customer_id, end.run_id] = replace(report, counts=report.counts + counts)
        return counts

    def seen_in_full_scan(self, customer_id: str, resource: str, scan_id: str) -> int:
        return sum(
            row.full_scan_id == scan_id and (entity.customer_id, entity.resource) == (customer_id, resource)
            for entity, row in self._tables.rows.mirror.items()
        )

    def next_suspect(self, customer_id: str, resource: str, *, after: str) -> str | None:
        return scopes.next_suspect(self._tables.rows, customer_id, resource, after)

    def _gone(self, rows: Rows, end: Finding, entity: EntityKey) -> Event:
        known = rows.mirror[entity]
        return Event(
            event_id=self._tables.next_event_id(), entity=entity, partition=partition_of(entity, self._partitions),
            action=Action.DELETE, version=known.version, event_version=EVENT_VERSION, payload=known.body,
            origin=end.origin, run_id=end.run_id, trace_id=end.trace_id, state=EventState.PENDING, attempts=0,
            detected_at=end.now, occurred_at=end.now,
        )  # fmt: skip

    def seen_in_scan(self, customer_id: str, resource: str, scan_id: str) -> int:
        return sum(
            row.scan_id == scan_id and (entity.customer_id, entity.resource) == (customer_id, resource)
            for entity, row in self._tables.rows.mirror.items()
        )

    def unfinished(self, customer_id: str, resource: str, *, since: datetime, before: datetime) -> int:
        return sum(
            row.is_open
            and not row.until_newer
            and (row.event.entity.customer_id, row.event.entity.resource) == (customer_id, resource)
            and since <= row.event.detected_at <= before
            for row in self._tables.rows.events.values()
        )

    def save_progress(
        self, customer_id: str, resource: str, progress: Progress, *, continue_at: datetime, why: str = ""
    ) -> None:
        with self._tables.transaction() as rows:
            key, row = _owned(rows, customer_id, resource, progress.run_id)
            rows.checkpoints[key] = replace(row, progress=progress, continue_at=continue_at)
            _close_report(rows, customer_id, progress.run_id, RunState.CONTINUED, None, why)

    def finish_run(
        self, customer_id: str, resource: str, run_id: str, *, state: RunState, position: datetime | None,
        error: str, now: datetime, keeps: Windows | None = None, backfilled: Collection[str] = (),
    ) -> int:  # fmt: skip
        with self._tables.transaction() as rows:
            key, row = _owned(rows, customer_id, resource, run_id)
            before = Checkpoint(customer_id=customer_id, resource=resource, position=row.position)
            failed = {RunState.FAILED: row.failed_runs + 1, RunState.COMPLETED: 0}.get(state, row.failed_runs)
            ended = replace(
                row,
                progress=None,
                continue_at=None,
                position=before.advanced_to(position),
                failed_runs=failed,
                backfill=keeps,
            )
            rows.checkpoints[key] = ended
            _close_report(rows, customer_id, run_id, state, now, error)
            _note_if_last(rows, customer_id, resource, backfilled)
            return failed


def _note_if_last(rows: Rows, customer_id: str, resource: str, backfilled: Collection[str]) -> None:
    there = {key[1] for key, row in rows.checkpoints.items() if key[::2] == (customer_id, Layer.POLL) and row.position}
    if backfilled and set(backfilled) <= there:
        rows.history.append((customer_id, completions.ACTION, completions.told_of(resource)))


def _owned(rows: Rows, customer_id: str, resource: str, run_id: str) -> tuple[CheckpointKey, CheckpointRow]:
    """The checkpoint, if it is still this run's. Raises RunFenced."""
    for key, row in rows.checkpoints.items():
        if key[:2] == (customer_id, resource) and row.run_id == run_id and row.progress is not None:
            return key, row
    raise RunFenced(f"customer {customer_id}: run {run_id} of {resource} was taken over by another")


def _open_report(rows: Rows, customer_id: str, resource: str, progress: Progress, now: datetime) -> None:
    fresh = RunReport(
        customer_id=customer_id, run_id=progress.run_id, resource=resource, origin=progress.origin,
        state=RunState.RUNNING, started_at=now, finished_at=None, counts=RunCounts(),
    )  # fmt: skip
    before = rows.runs.get((customer_id, progress.run_id))
    rows.runs[customer_id, progress.run_id] = replace(before, state=RunState.RUNNING) if before else fresh


def _close_report(
    rows: Rows, customer_id: str, run_id: str, state: RunState, finished_at: datetime | None, error: str
) -> None:
    report = rows.runs[customer_id, run_id]
    rows.runs[customer_id, run_id] = replace(report, state=state, finished_at=finished_at, error=error)


def _scope(page: PageToSave, item: _Item, known: MirrorRow | None) -> str:
    if page.shows_all or known is None:
        return page.scope if page.shows_all else item.scope
    return known.scope if known.deleted_at is None else ""


def _of_record(record: Record) -> _Item:
    return _Item(
        source_id=record.source_id, updated_at=record.updated_at, content_hash=record.content_hash, body=record.body,
        raw=dict(record.raw), scope=record.scope,
    )  # fmt: skip


def _of_broken(broken: BrokenRecord) -> _Item:
    digest = "broken:" + content_hash({"raw": broken.raw})
    return _Item(
        source_id=broken.source_id, updated_at=UNREADABLE_TIME, content_hash=digest, body={}, raw=broken.raw,
        broken=broken,
    )  # fmt: skip


def _newest_of_each(items: Iterable[_Item]) -> list[_Item]:
    """A page may repeat an id; the later of its versions counts."""
    newest: dict[str, _Item] = {}
    for item in items:
        other = newest.get(item.source_id)
        if other is None or item.updated_at >= other.updated_at:
            newest[item.source_id] = item
    return list(newest.values())


def _letter(event: Event, broken: BrokenRecord) -> LetterRow:
    return LetterRow(
        entity=event.entity, event_id=event.event_id, stage="detect", reason=broken.reason, field=broken.field,
        message=broken.message, run_id=event.run_id, trace_id=event.trace_id, created_at=event.detected_at,
    )  # fmt: skip
