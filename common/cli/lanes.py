"""`fleet lanes`: how each worker pool keeps up with what it is promised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from redis.exceptions import RedisError
from rich.console import RenderableType

from common.cli.ages import age_text
from common.cli.bootstrap import Parts, open_parts
from common.cli.options import AsJson
from common.cli.output import make_table, show
from common.cli.standing import Standing
from common.cli.status import look
from common.domain.customers import Lane
from common.domain.lanes import LANE_TERMS

NUMBERS = ("CUSTOMERS", "PENDING", "QUEUED", "HOT", "PARKED", "PAUSED", "OLDEST", "PROMISED")


@dataclass(frozen=True, kw_only=True)
class LaneStanding:
    """One lane, as told with `--json`."""

    lane: Lane
    customers: int
    pending: int
    #: Deliveries on its customers' queues, and customers in its hot set; None if Redis cannot be asked.
    queued: int | None
    hot: int | None
    parked: int
    paused: int
    #: Age of the longest waiting event of those that are neither parked nor paused; None: nothing waits.
    oldest_seconds: float | None
    #: Age by which a detected change should have been applied.
    sla_seconds: int
    within_sla: bool


def lanes(as_json: AsJson = False) -> None:
    """The worker pools: what waits in each, and whether it keeps what it promises."""
    with open_parts() as parts:
        rows = standings_of_lanes(look(parts), _hot(parts))
    show({"lanes": rows}, as_json=as_json, human=lambda: _table(rows))


def standings_of_lanes(customers: Sequence[Standing], hot: Mapping[Lane, int] | None) -> list[LaneStanding]:
    """One row per lane, the empty ones too."""
    return [_standing(lane, [c for c in customers if c.lane == lane], hot) for lane in Lane]


def _standing(lane: Lane, own: Sequence[Standing], hot: Mapping[Lane, int] | None) -> LaneStanding:
    oldest = max((c.oldest_pending_age_seconds or 0.0 for c in own if c.is_served), default=0.0)
    sla = LANE_TERMS[lane].sla_seconds
    return LaneStanding(
        lane=lane,
        customers=len(own),
        pending=sum(c.pending for c in own),
        queued=None if hot is None else sum(c.queue_depth or 0 for c in own),
        hot=None if hot is None else hot[lane],
        parked=sum(c.state == "parked" for c in own),
        paused=sum(c.state == "paused" for c in own),
        oldest_seconds=oldest or None,
        sla_seconds=sla,
        within_sla=oldest <= sla,
    )


def _hot(parts: Parts) -> Mapping[Lane, int] | None:
    try:
        return {lane: parts.hot_set.size(lane) for lane in Lane}
    except RedisError:
        return None


def _table(rows: Sequence[LaneStanding]) -> RenderableType:
    table = make_table("LANE", *NUMBERS, "KEPT", right=NUMBERS)
    for row in rows:
        cells = [row.customers, row.pending, _or_unknown(row.queued), _or_unknown(row.hot), row.parked, row.paused]
        times = [age_text(row.oldest_seconds), age_text(row.sla_seconds), "yes" if row.within_sla else "no"]
        table.add_row(row.lane, *map(str, cells), *times, style="" if row.within_sla else "red")
    return table


def _or_unknown(number: int | None) -> str:
    return "?" if number is None else str(number)
