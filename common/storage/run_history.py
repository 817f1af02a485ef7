"""Runs that were: the latest of one customer or of all, one of them by its id, and what has become of its events.

`runs` and `events` are keyed by customer first. What asks for all customers looks into the index once for each of
them, so that it costs hundreds of look-ups and not a scan of millions of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Engine, and_, func, select, true, tuple_

from common.domain.events import EventState
from common.domain.run_history import FAILURES, REASONS, FailedEvent, ReasonCount, RunFilter, RunOutcome, RunShown
from common.domain.runs import RunCounts, RunReport, RunState
from common.storage.tables import customers, dead_letters, events, runs

#: Above every id that begins the same: ids are of digits, `-` and small letters, and this is longer than any.
AFTER_ALL = "z" * 64
#: What differs from event to event in a reason: after a slash, `version` or `event`, up to the next space or bracket.
OWN_ID = r"(/|\mversion |\mevent )[^\s,;:)]*[0-9][^\s,;)]*"


class PostgresRunHistory:
    """Reads for `fleet runs` and `fleet events`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def list(self, which: RunFilter) -> Sequence[RunReport]:
        """The latest first."""
        latest = select(runs).where(*_conditions(which)).order_by(runs.c.started_at.desc(), runs.c.run_id)
        query = latest.where(runs.c.customer_id == which.customer_id).limit(which.limit)
        if which.customer_id is None:
            each = latest.where(runs.c.customer_id == customers.c.customer_id).limit(which.limit).lateral("each")
            found = select(each).select_from(customers.join(each, true()))
            query = found.order_by(each.c.started_at.desc(), each.c.run_id).limit(which.limit)
        with self._engine.connect() as connection:
            return [report_of(row) for row in connection.execute(query)]

    def find(self, run_id: str, customer_id: str | None = None, *, at_most: int = 5) -> Sequence[RunReport]:
        """Those whose id is this or begins with it; the exact one alone if there is one."""
        begins = and_(runs.c.run_id >= run_id, runs.c.run_id <= run_id + AFTER_ALL)
        own = select(runs).where(runs.c.customer_id == customers.c.customer_id).order_by(runs.c.run_id)
        each = own.where(begins, func.starts_with(runs.c.run_id, run_id)).limit(at_most).lateral("each")
        query = select(each).select_from(customers.join(each, true())).order_by(each.c.run_id).limit(at_most)
        if customer_id is not None:
            query = query.where(customers.c.customer_id == customer_id)
        with self._engine.connect() as connection:
            found = [report_of(row) for row in connection.execute(query)]
        return [each for each in found if each.run_id == run_id] or found

    def show(self, report: RunReport) -> RunShown:
        key = (runs.c.customer_id == report.customer_id, runs.c.run_id == report.run_id)
        with self._engine.connect() as connection:
            trace_id = connection.execute(select(runs.c.trace_id).where(*key)).scalar_one()
            counted = connection.execute(_tally(report)).all()
            failures = connection.execute(_failures(report)).all()
        outcome = RunOutcome(
            events=_by_state(counted),
            reasons=[_reason(row) for row in counted if not row.is_sum][:REASONS],
            failures=[FailedEvent(**row._mapping) for row in failures],  # noqa: SLF001 - SQLAlchemy's public accessor
        )
        return RunShown(report=report, trace_id=trace_id, outcome=outcome)


def _conditions(which: RunFilter) -> list[ColumnElement[bool]]:
    wanted = {"resource": which.resource, "origin": which.origin, "state": which.state}
    equal = [runs.c[name] == value for name, value in wanted.items() if value is not None]
    return equal if which.since is None else [*equal, runs.c.started_at >= which.since]


def _tally(report: RunReport) -> Any:
    """Events by state, then by state and reason, in one pass over `ix_events_run`: however many there are, few rows."""
    reason = func.regexp_replace(events.c.reason, OWN_ID, r"\1...", "g")
    own = (
        select(events.c.state, reason.label("reason"))
        .where(events.c.customer_id == report.customer_id, events.c.run_id == report.run_id)
        .subquery()
    )
    is_sum, count = (func.grouping(own.c.reason) == 1).label("is_sum"), func.count().label("events")
    sets = func.grouping_sets(tuple_(own.c.state), tuple_(own.c.state, own.c.reason))
    return (
        select(own.c.state, own.c.reason, count, is_sum)
        .group_by(sets)
        .having((func.grouping(own.c.reason) == 1) | (own.c.reason != ""))
        .order_by(is_sum.desc(), count.desc(), own.c.state, own.c.reason)
        .limit(len(EventState) + REASONS)
    )


def _failures(report: RunReport) -> Any:
    """Of the events that wait for a person; a letter that was resolved has left that state."""
    names = ("dead_letter_id", "resource", "source_id", "stage", "reason", "field")
    same = and_(dead_letters.c.customer_id == events.c.customer_id, dead_letters.c.event_id == events.c.event_id)
    return (
        select(*(dead_letters.c[name] for name in names))
        .join(events, same)
        .where(dead_letters.c.customer_id == report.customer_id, dead_letters.c.state == "open")
        .where(events.c.run_id == report.run_id)
        .order_by(dead_letters.c.dead_letter_id)
        .limit(FAILURES)
    )


def _by_state(counted: Sequence[Any]) -> dict[EventState, int]:
    found = {row.state: row.events for row in counted if row.is_sum}
    return {state: found.get(state, 0) for state in EventState}


def _reason(row: Any) -> ReasonCount:
    return ReasonCount(state=row.state, reason=row.reason, events=row.events)


def report_of(row: Any) -> RunReport:
    """Of a row of `runs`."""
    return RunReport(
        customer_id=row.customer_id,
        run_id=row.run_id,
        resource=row.resource,
        origin=row.origin,
        state=RunState(row.state),
        started_at=row.started_at,
        finished_at=row.finished_at,
        counts=RunCounts(**{name: getattr(row, name) for name in RunCounts.__dataclass_fields__}),
        error=row.error,
    )
