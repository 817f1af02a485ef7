"""The twin of `common.storage.dead_letters` and `common.storage.putting_back`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from common.domain.events import EventState, Origin
from common.domain.layers import Layer
from common.domain.letters import DeadLetter, LetterFilter, LetterGroup, LetterState, Stage, payload_of
from common.domain.runs import RunState
from common.storage.memory.tables import LetterRow, MemoryTables, Rows


class MemoryLetters:
    """Implements `common.domain.letters.Letters`. A letter's number is its place."""

    def __init__(self, tables: MemoryTables) -> None:
        self._tables = tables

    def find(self, which: LetterFilter, *, limit: int) -> Sequence[DeadLetter]:
        return found(self._tables.rows, which)[:limit]

    def groups(self, which: LetterFilter) -> Sequence[LetterGroup]:
        alike: dict[tuple[str, str, str, str], list[datetime]] = defaultdict(list)
        for each in found(self._tables.rows, which):
            alike[each.customer_id, each.reason, each.resource, each.field].append(each.created_at)
        groups = [_group(key, times) for key, times in alike.items()]
        return sorted(groups, key=lambda g: (g.customer_id, -g.count, g.reason, g.resource, g.field))

    def show(self, customer_id: str, dead_letter_id: int) -> tuple[DeadLetter, Mapping[str, Any]] | None:
        rows = self._tables.rows
        own = found(rows, LetterFilter(customer_id=customer_id, numbers=(dead_letter_id,), state=None))
        if not own:
            return None
        row = rows.letters[dead_letter_id - 1]
        known = rows.mirror.get(row.entity)
        return own[0], rows.events[row.event_id].event.payload or payload_of(known.raw if known else None)

    def discard(
        self, customer_id: str, numbers: Sequence[int], *, why: str, actor: str, now: datetime
    ) -> Sequence[int]:
        del actor  # the twin's history has no column for it
        with self._tables.transaction() as rows:
            own = found(rows, LetterFilter(customer_id=customer_id, numbers=tuple(numbers)))
            for letter in own:
                _resolve(rows, letter.dead_letter_id, LetterState.DISCARDED, why, now)
                _set_event(rows, letter.event_id, EventState.DISCARDED, why, now)
                rows.history.append((customer_id, "dead_letter.discarded", f"{letter.dead_letter_id} {why}".strip()))
            return [letter.dead_letter_id for letter in own]


def _group(key: tuple[str, str, str, str], times: Sequence[datetime]) -> LetterGroup:
    customer_id, reason, resource, field = key
    return LetterGroup(
        customer_id=customer_id, reason=reason, resource=resource, field=field, count=len(times), oldest=min(times),
        newest=max(times),
    )  # fmt: skip


def found(rows: Rows, which: LetterFilter) -> list[DeadLetter]:
    """In order of their numbers."""
    numbered = enumerate(rows.letters, start=1)
    return [_letter(rows, number, row) for number, row in numbered if _is_meant(number, row, which)]


def _is_meant(number: int, row: LetterRow, which: LetterFilter) -> bool:
    wanted = (
        (row.entity.customer_id, which.customer_id), (row.reason, which.reason), (row.entity.resource, which.resource),
        (row.state, which.state),
    )  # fmt: skip
    is_late = which.since is None or row.created_at >= which.since
    is_numbered = not which.numbers or number in which.numbers
    return is_late and is_numbered and all(want is None or value == want for value, want in wanted)


def _letter(rows: Rows, number: int, row: LetterRow) -> DeadLetter:
    names = (
        "event_id", "stage", "reason", "field", "message", "status", "detail", "attempts", "run_id", "trace_id",
        "state", "resolution", "created_at", "resolved_at",
    )  # fmt: skip
    return DeadLetter(
        customer_id=row.entity.customer_id,
        dead_letter_id=number,
        resource=row.entity.resource,
        source_id=row.entity.source_id,
        batch=_batch_before(rows, number, row),
        **{name: getattr(row, name) for name in names},
    )


def is_same(one: LetterRow, other: LetterRow) -> bool:
    """The same event, or the same unreadable item."""
    if one.stage == other.stage == Stage.DETECT:
        return one.entity == other.entity
    return one.event_id == other.event_id


def _batch_before(rows: Rows, number: int, row: LetterRow) -> str:
    before = [n for n, each in enumerate(rows.letters[: number - 1], start=1) if is_same(each, row)]
    own = [key for key, item in rows.items.items() if before and key[2] == before[-1] and item == "fed"]
    return max((batch for _, batch, _ in own), default="")


def _resolve(rows: Rows, number: int, state: LetterState, why: str, now: datetime) -> None:
    rows.letters[number - 1] = replace(rows.letters[number - 1], state=state, resolution=why, resolved_at=now)


def _set_event(rows: Rows, event_id: int, state: EventState, reason: str, now: datetime) -> None:
    row = rows.events[event_id]
    rows.events[event_id] = replace(row, event=replace(row.event, state=state), reason=reason, finished_at=now)


def put_back(rows: Rows, number: int, now: datetime, *, resolution: str, origin: Origin) -> bool:
    """False if the letter was resolved already."""
    letter = rows.letters[number - 1]
    if letter.state != LetterState.OPEN:
        return False
    _resolve(rows, number, LetterState.REPLAYED, resolution, now)
    if letter.stage == Stage.DETECT:
        _read_again(rows, letter, now)
    else:
        _apply_again(rows, letter, now, origin)
    return True


def _apply_again(rows: Rows, letter: LetterRow, now: datetime, origin: Origin) -> None:
    row = rows.events[letter.event_id]
    newer = [
        each.event
        for each in rows.events_of(letter.entity)
        if each.event.version > row.event.version and each.event.coalesce and each.event.state != EventState.DISCARDED
    ]
    if newer and row.event.coalesce:
        last = max(newer, key=lambda event: event.version)
        reason = f"by version {last.version} (event {last.event_id})"
        _set_event(rows, letter.event_id, EventState.SUPERSEDED, reason, now)
        return
    event = replace(row.event, state=EventState.PENDING, attempts=0, failures=0, defects=0, origin=origin)
    rows.events[letter.event_id] = replace(row, event=event, reason="", retry_at=now, finished_at=None, waits_for=None)


def _read_again(rows: Rows, letter: LetterRow, now: datetime) -> None:
    _start_over(rows, letter, now)
    _set_event(rows, letter.event_id, EventState.SUPERSEDED, "read again", now)
    if letter.entity in rows.mirror:
        rows.mirror[letter.entity] = replace(rows.mirror[letter.entity], content_hash="")


def _start_over(rows: Rows, letter: LetterRow, now: datetime) -> None:
    key = (letter.entity.customer_id, letter.entity.resource, Layer.POLL)
    row = rows.checkpoints.get(key)
    if row is None:
        return
    since = rows.events[letter.event_id].event.occurred_at - timedelta(seconds=1)
    position = None if row.position is None else min(row.position, since)
    rows.checkpoints[key] = replace(row, position=position, cursor="", run_id=None, progress=None, continue_at=None)
    run = rows.runs.get((letter.entity.customer_id, row.run_id or ""))
    if run is not None and run.state in (RunState.RUNNING, RunState.CONTINUED):
        why = "replaced: a dead letter is to be read again"
        ended = replace(run, state=RunState.FAILED, finished_at=now, error=why)
        rows.runs[letter.entity.customer_id, run.run_id] = ended
