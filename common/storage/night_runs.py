"""What the runs of a night have come to: those that began in it, and what it added to those it found under way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, or_, select

from common.domain.events import Origin
from common.domain.nights import Night
from common.domain.runs import FINAL_RUN_STATES
from common.storage.tables import runs

#: Of runs that belong to no night.
BESIDE = (Origin.RECONCILIATION, Origin.FULL)
#: As in `Night.carried`.
COUNTED: Mapping[str, ColumnElement[int]] = {
    "read": runs.c.read,
    "detected": runs.c.detected + runs.c.deleted,
    "requests": runs.c.requests,
    "pages": runs.c.pages,
}


def under_way(connection: Connection, customer_id: str) -> Mapping[str, Mapping[str, int]]:
    """As `Night.carried`: runs that are not over, by id."""
    query = _counts(customer_id).where(runs.c.state.not_in(FINAL_RUN_STATES))
    return {row.run_id: {name: getattr(row, name) for name in COUNTED} for row in connection.execute(query)}


def came_to(connection: Connection, night: Night) -> Mapping[str, int]:
    """Counts of `NightReport`."""
    rows = connection.execute(_of_night(night)).all()
    return {
        "read": sum(_added(night, row, "read") for row in rows),
        "detected": sum(_added(night, row, "detected") for row in rows),
        "source_requests": sum(_added(night, row, "requests") for row in rows),
    }


def has_read_on(connection: Connection, night: Night, resources: Sequence[str]) -> bool:
    """Whether a page of one of these was saved in this night."""
    rows = connection.execute(_of_night(night).where(runs.c.resource.in_(resources))) if resources else ()
    return any(_added(night, row, "pages") > 0 for row in rows)


def _of_night(night: Night) -> Any:
    since = night.started_at or night.claimed_at
    return _counts(night.customer_id).where(or_(runs.c.started_at >= since, runs.c.run_id.in_(night.carried)))


def _counts(customer_id: str) -> Any:
    columns = [column.label(name) for name, column in COUNTED.items()]
    return select(runs.c.run_id, *columns).where(runs.c.customer_id == customer_id, runs.c.origin.not_in(BESIDE))


def _added(night: Night, row: Any, name: str) -> int:
    """What the night has added to a run."""
    before = night.carried.get(row.run_id, {}).get(name, 0)
    return int(getattr(row, name)) - before
