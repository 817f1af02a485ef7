"""What the poller's loop keeps, in PostgreSQL: the checkpoint, the mirror, and the events beside them (the outbox).

One transaction per page holds all three, so a kill at any instruction leaves either the page's events and its progress,
or neither. The checkpoint row carries the id of the run that may write: a run that was taken for dead, and is not,
finds another id there and stops (RunFenced) without having changed anything.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, func, select, update
from sqlalchemy.dialects.postgresql import insert

from common.domain.checkpoints import Checkpoint, Progress, first_progress, progress_from_json
from common.domain.entities import EntityKey, partition_of
from common.domain.errors import RunFenced
from common.domain.events import EVENT_VERSION, Action, EventState
from common.domain.layers import LAYER_TERMS, Layer
from common.domain.runs import RunCounts, RunState
from common.domain.sources import ResourceTerms
from common.domain.stores import DueAt, PageToSave, RunStart, ScopeEnd, ScopeToRead
from common.domain.windows import Windows, windows_from_json
from common.storage import waiting
from common.storage.completions import note_if_last
from common.storage.gone import Cause, put_out
from common.storage.items import (
    Item,
    Known,
    by_resource,
    is_changed,
    is_stale,
    newest_of_each,
    of_broken,
    of_record,
)
from common.storage.mirror_rows import known_of, mark_seen, mirror_row, upsert_mirror
from common.storage.pages import record_page
from common.storage.removals import NOTHING, Finding, Removed, said_to_be_gone
from common.storage.reports import add_to_report, close_report, open_report
from common.storage.scopes import (
    count_absences,
    look_for,
    make_due,
    most_urgent,
    next_suspect,
    note_reading,
    one_scope,
    plan,
    unplan,
)
from common.storage.tables import OPEN, checkpoints, dead_letters, events, mirror


class PostgresDetectionStore:
    """Implements `common.domain.stores.DetectionStore`."""

    def __init__(self, engine: Engine, *, partitions: int) -> None:
        self._engine = engine
        self._partitions = partitions

    def start_run(
        self,
        *,
        customer_id: str,
        resource: str,
        run_id: str,
        trace_id: str,
        now: datetime,
        layer: Layer = Layer.POLL,
        only_if_due: bool = False,
    ) -> RunStart:
        with self._engine.begin() as connection:
            row = _take_checkpoint(connection, customer_id, resource, LAYER_TERMS[layer].progress_of, now)
            first = first_progress(
                layer, row.position, run_id=run_id, trace_id=trace_id, now=now, windows=windows_from_json(row.backfill)
            )
            start = _where_to_begin(row, first)
            if row.continue_at is not None and row.continue_at > now:
                return replace(start, waits_until=row.continue_at)
            if only_if_due and row.continue_at is None and row.progress is None:
                return replace(start, is_over=True)
            _own(connection, row, start.progress, now)
            open_report(connection, customer_id, resource, start, now)
            return start

    def save_page(self, page: PageToSave, progress: Progress, *, end: ScopeEnd | None = None) -> RunCounts:
        with self._engine.begin() as connection:
            moved = {} if page.cursor is None else {"cursor": page.cursor}
            _fenced_update(
                connection, page.customer_id, page.resource, page.run_id, page.now, progress=progress.to_json(), **moved
            )
            waiting.take_turn(connection, page.customer_id)
            counts = RunCounts(requests=page.requests, pages=1)
            for own in by_resource(page):
                counts += self._save_items(connection, own)
            make_due(connection, page.customer_id, page.due, page.now)
            counts += self._remove(connection, page, said_to_be_gone(connection, page, page.resource, page.gone))
            if end is not None:
                counts += self._end(connection, end)
            add_to_report(connection, page.customer_id, page.run_id, counts)
            record_page(connection, page)
            return counts

    def _save_items(self, connection: Connection, page: PageToSave) -> RunCounts:
        items = newest_of_each([*map(of_record, page.records), *map(of_broken, page.broken)])
        known = known_of(connection, page, [item.source_id for item in items])
        stale = [item for item in items if is_stale(item, known.get(item.source_id))]
        fresh = [item for item in items if item not in stale]
        changed = [item for item in fresh if is_changed(item, known.get(item.source_id))]
        mark_seen(connection, page, [item.source_id for item in items])
        self._save_changed(connection, page, changed, known)
        return RunCounts(
            read=len(items),
            detected=len(changed),
            unchanged=len(fresh) - len(changed),
            stale=len(stale),
            broken=sum(item.broken is not None for item in changed),
        )

    def _save_changed(
        self, connection: Connection, page: PageToSave, changed: Sequence[Item], known: Mapping[str, Known]
    ) -> None:
        if not changed:
            return
        versions = {i.source_id: known[i.source_id].version + 1 if i.source_id in known else 1 for i in changed}
        upsert_mirror(
            connection,
            [mirror_row(page, item, known.get(item.source_id), versions[item.source_id]) for item in changed],
        )
        rows = [self._event_row(page, item, versions[item.source_id]) for item in changed]
        ids = connection.execute(insert(events).returning(events.c.event_id, events.c.source_id), rows)
        event_ids = {row.source_id: row.event_id for row in ids}
        readable = [item.source_id for item in changed if item.source_id in known and not item.broken]
        waiting.wake_older(connection, page.customer_id, page.resource, readable, page.now)
        letters = [_letter_row(page, item, event_ids[item.source_id]) for item in changed if item.broken]
        if letters:
            connection.execute(insert(dead_letters), letters)

    def _event_row(self, page: PageToSave, item: Item, version: int) -> dict[str, Any]:
        entity = EntityKey(customer_id=page.customer_id, resource=page.resource, source_id=item.source_id)
        return {
            "customer_id": page.customer_id,
            "resource": page.resource,
            "source_id": item.source_id,
            "version": version,
            "partition": partition_of(entity, self._partitions),
            "action": Action.UPSERT,
            "event_version": EVENT_VERSION,
            "payload": dict(item.body),
            "origin": page.origin,
            "run_id": page.run_id,
            "trace_id": page.trace_id,
            "state": EventState.DEAD_LETTERED if item.broken else EventState.PENDING,
            "reason": item.broken.reason if item.broken else "",
            "occurred_at": item.updated_at,
            "detected_at": page.now,
            "retry_at": page.now,
            "finished_at": page.now if item.broken else None,
        }

    def plan_scopes(self, customer_id: str, resource: str, terms: ResourceTerms, due_at: DueAt, now: datetime) -> None:
        plan(self._engine, customer_id, resource, terms, due_at, now)

    def unplan_scopes(self, customer_id: str) -> None:
        unplan(self._engine, customer_id)

    def next_scope(
        self,
        customer_id: str,
        resource: str,
        terms: ResourceTerms,
        now: datetime,
        *,
        read_before: datetime,
        history_first: bool = False,
    ) -> ScopeToRead | None:
        with self._engine.connect() as connection:
            return most_urgent(
                connection, customer_id, resource, terms, now, read_before=read_before, history_first=history_first
            )

    def scope(self, customer_id: str, resource: str, terms: ResourceTerms, scope: str) -> ScopeToRead:
        with self._engine.connect() as connection:
            return one_scope(connection, customer_id, resource, terms, scope)

    def end_scope(self, end: ScopeEnd, progress: Progress) -> RunCounts:
        with self._engine.begin() as connection:
            _fenced_update(connection, end.customer_id, end.resource, end.run_id, end.now, progress=progress.to_json())
            waiting.take_turn(connection, end.customer_id)
            counts = self._end(connection, end)
            add_to_report(connection, end.customer_id, end.run_id, counts)
            return counts

    def _end(self, connection: Connection, end: ScopeEnd) -> RunCounts:
        removed = count_absences(connection, end) if note_reading(connection, end) else NOTHING
        return self._remove(connection, end, removed)

    def end_look(self, end: ScopeEnd, source_id: str, progress: Progress) -> RunCounts:
        with self._engine.begin() as connection:
            _fenced_update(connection, end.customer_id, end.resource, end.run_id, end.now, progress=progress.to_json())
            waiting.take_turn(connection, end.customer_id)
            counts = self._remove(connection, end, look_for(connection, end, source_id))
            add_to_report(connection, end.customer_id, end.run_id, counts)
            return counts

    def _remove(self, connection: Connection, end: Finding, removed: Removed) -> RunCounts:
        cause = Cause(origin=end.origin, run_id=end.run_id, trace_id=end.trace_id)
        deleted = 0
        for rows in removed.gone:
            put_out(connection, end.customer_id, rows, cause, end.now, partitions=self._partitions)
            deleted += len(rows)
        return RunCounts(deleted=deleted, held=removed.held)

    def seen_in_full_scan(self, customer_id: str, resource: str, scan_id: str) -> int:
        own = (mirror.c.customer_id == customer_id, mirror.c.resource == resource)
        query = select(func.count()).where(*own, mirror.c.full_scan_id == scan_id)
        with self._engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def next_suspect(self, customer_id: str, resource: str, *, after: str) -> str | None:
        with self._engine.connect() as connection:
            return next_suspect(connection, customer_id, resource, after)

    def seen_in_scan(self, customer_id: str, resource: str, scan_id: str) -> int:
        query = select(func.count()).where(
            mirror.c.customer_id == customer_id, mirror.c.resource == resource, mirror.c.scan_id == scan_id
        )
        with self._engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def unfinished(self, customer_id: str, resource: str, *, since: datetime, before: datetime) -> int:
        own = (events.c.customer_id == customer_id, events.c.resource == resource, OPEN, ~waiting.BY_DESIGN)
        query = select(func.count()).select_from(events).where(*own, events.c.detected_at.between(since, before))
        with self._engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def save_progress(
        self, customer_id: str, resource: str, progress: Progress, *, continue_at: datetime, why: str = ""
    ) -> None:
        with self._engine.begin() as connection:
            _fenced_update(
                connection,
                customer_id,
                resource,
                progress.run_id,
                continue_at,
                progress=progress.to_json(),
                continue_at=continue_at,
            )
            close_report(connection, customer_id, progress.run_id, RunState.CONTINUED, None, why)

    def finish_run(
        self,
        customer_id: str,
        resource: str,
        run_id: str,
        *,
        state: RunState,
        position: datetime | None,
        error: str,
        now: datetime,
        keeps: Windows | None = None,
        backfilled: Collection[str] = (),
    ) -> int:
        kept = None if keeps is None else asdict(keeps)
        changes: dict[str, Any] = {"progress": None, "continue_at": None, "backfill": kept}
        if state is RunState.FAILED:
            changes["failed_runs"] = checkpoints.c.failed_runs + 1
        elif state is RunState.COMPLETED:
            changes["failed_runs"] = 0
        if position is not None:
            changes["position"] = func.greatest(checkpoints.c.position, position)
        with self._engine.begin() as connection:
            failed_runs = _fenced_update(connection, customer_id, resource, run_id, now, **changes)
            close_report(connection, customer_id, run_id, state, now, error)
            note_if_last(connection, customer_id, resource, backfilled, now)
            return failed_runs


def _take_checkpoint(connection: Connection, customer_id: str, resource: str, layer: Layer, now: datetime) -> Any:
    """The checkpoint's row, locked; made on first use."""
    key = {"customer_id": customer_id, "resource": resource, "layer": layer}
    connection.execute(insert(checkpoints).values(**key, updated_at=now).on_conflict_do_nothing())
    return connection.execute(select(checkpoints).filter_by(**key).with_for_update()).one()


def _where_to_begin(row: Any, first: Progress) -> RunStart:
    saved = progress_from_json(row.progress)
    return RunStart(
        checkpoint=Checkpoint(
            customer_id=row.customer_id, resource=row.resource, position=row.position, cursor=row.cursor
        ),
        progress=saved or first,
        resumed=saved is not None,
    )


def _own(connection: Connection, row: Any, progress: Progress, now: datetime) -> None:
    connection.execute(
        update(checkpoints)
        .filter_by(customer_id=row.customer_id, resource=row.resource, layer=row.layer)
        .values(run_id=progress.run_id, progress=progress.to_json(), continue_at=None, updated_at=now)
    )


def _fenced_update(
    connection: Connection, customer_id: str, resource: str, run_id: str, now: datetime, **changes: Any
) -> int:
    """Write to the checkpoint if it is still this run's; returns its runs that failed in a row."""
    result = connection.execute(
        update(checkpoints)
        .where(
            checkpoints.c.customer_id == customer_id,
            checkpoints.c.resource == resource,
            checkpoints.c.run_id == run_id,
            checkpoints.c.progress.is_not(None),
        )
        .values(updated_at=now, **changes)
        .returning(checkpoints.c.failed_runs)
    )
    failed_runs = result.scalar_one_or_none()
    if failed_runs is None:
        raise RunFenced(f"customer {customer_id}: run {run_id} of {resource} was taken over by another")
    return int(failed_runs)


def _letter_row(page: PageToSave, item: Item, event_id: int) -> dict[str, Any]:
    broken = item.broken
    assert broken is not None  # noqa: S101 - the caller passes broken items only
    return {
        "customer_id": page.customer_id,
        "event_id": event_id,
        "resource": page.resource,
        "source_id": item.source_id,
        "stage": "detect",
        "reason": broken.reason,
        "field": broken.field,
        "message": broken.message,
        "run_id": page.run_id,
        "trace_id": page.trace_id,
        "state": "open",
        "created_at": page.now,
    }
