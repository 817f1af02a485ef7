"""`fleet schedule`: what comes when, computed as the beat computes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Group, RenderableType

from common.cli.ages import age_text, moment_text
from common.cli.bootstrap import Parts, open_parts
from common.cli.options import AsJson
from common.cli.output import make_table, show
from common.domain.customers import Customer, Lane
from common.domain.layers import Layer
from poller.schedule.timetable import timetable_of
from poller.schedule.turns import Turn
from poller.sources import registry as sources

#: A leading beat notes how far it is each second; with this much of silence, none leads.
SILENCE_SECONDS = 15.0
#: How far the overview looks ahead.
HORIZON_SECONDS = 3600.0


@dataclass(frozen=True, kw_only=True)
class Job:
    """One job of a customer."""

    job: str
    layer: Layer
    #: None: all.
    resources: Sequence[str] | None
    #: Seconds, or None for a daily slot.
    every_seconds: float | None
    #: Local time of the slot, HH:MM, before the customer's own spread.
    daily_at: str | None
    lane: Lane
    next_at: datetime
    next_local: str


@dataclass(frozen=True, kw_only=True)
class LaneLoad:
    """What the next hour brings to a lane."""

    lane: Lane
    customers: int
    jobs: int
    turns_per_minute: float
    fullest_minute: datetime | None
    fullest_minute_turns: int


def schedule(
    customer_id: Annotated[str | None, typer.Argument(metavar="[ID]", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """When a customer is read next, or what the next hour brings to each lane, and whether a beat leads."""
    with open_parts() as parts:
        now = parts.clock.now()
        if customer_id is not None:
            customer = parts.customers.get(customer_id)
            jobs = [job_of(turn, customer, now) for turn in _turns(parts, [customer])]
            data = {"customer_id": customer_id, "status": customer.status, "jobs": jobs}
            show(data, as_json=as_json, human=lambda: _jobs(customer, jobs))
            return
        loads = loads_of(_turns(parts, parts.customers.all()), now)
        until = parts.schedule.published_until()
    age = None if until is None else (now - until).total_seconds()
    leads = age is not None and age <= SILENCE_SECONDS
    overview: dict[str, object] = {"lanes": loads, "beat_leads": leads, "published_until": until}
    show(overview, as_json=as_json, human=lambda: Group(_lanes(loads), "", _beat(age, leads=leads)))


def job_of(turn: Turn, customer: Customer, now: datetime) -> Job:
    moment = datetime.fromtimestamp(turn.after(now.timestamp())[0], tz=UTC)
    local = moment.astimezone(ZoneInfo(customer.time_zone))
    return Job(
        job=turn.job,
        layer=turn.layer,
        resources=turn.resources,
        every_seconds=None if turn.slot else turn.period_seconds,
        daily_at=f"{turn.slot.at:%H:%M}" if turn.slot else None,
        lane=turn.lane,
        next_at=moment,
        next_local=f"{local:%Y-%m-%d %H:%M:%S %Z}",
    )


def loads_of(turns: Iterable[Turn], now: datetime) -> list[LaneLoad]:
    """A row for each lane, the empty ones too."""
    by_lane: dict[Lane, list[Turn]] = {lane: [] for lane in Lane}
    for turn in turns:
        by_lane[turn.lane].append(turn)
    return [_load(lane, own, now.timestamp()) for lane, own in by_lane.items()]


def _load(lane: Lane, turns: Sequence[Turn], now: float) -> LaneLoad:
    minutes = Counter(int(moment // 60) for turn in turns for moment in _moments(turn, now))
    fullest, most = max(minutes.items(), key=lambda item: (item[1], -item[0]), default=(None, 0))
    return LaneLoad(
        lane=lane,
        customers=len({turn.customer_id for turn in turns}),
        jobs=len(turns),
        turns_per_minute=round(minutes.total() / (HORIZON_SECONDS / 60), 1),
        fullest_minute=None if fullest is None else datetime.fromtimestamp(fullest * 60, tz=UTC),
        fullest_minute_turns=most,
    )


def _moments(turn: Turn, now: float) -> Iterable[float]:
    moment = turn.after(now)[0]
    while moment <= now + HORIZON_SECONDS:
        yield moment
        moment = turn.after(moment)[0]


def _turns(parts: Parts, customers: Sequence[Customer]) -> list[Turn]:
    timetable = timetable_of(parts.settings)
    active = [customer for customer in customers if customer.is_active]
    return [turn for customer in active for turn in timetable.turns(customer, sources.resources(customer))]


def _jobs(customer: Customer, jobs: Sequence[Job]) -> RenderableType:
    if not customer.is_active:
        return f"{customer.customer_id} is {customer.status}: nothing is scheduled ({customer.status_reason})"
    table = make_table("JOB", "RESOURCES", "COMES", "LANE", "NEXT (UTC)", "NEXT (LOCAL)")
    for job in jobs:
        comes = f"daily from {job.daily_at}" if job.daily_at else f"every {age_text(job.every_seconds)}"
        resources = "all" if job.resources is None else ", ".join(job.resources)
        table.add_row(job.job, resources, comes, job.lane, moment_text(job.next_at), job.next_local)
    return table


def _lanes(loads: Sequence[LaneLoad]) -> RenderableType:
    numbers = ("CUSTOMERS", "JOBS", "TURNS A MINUTE", "FULLEST MINUTE", "ITS TURNS")
    table = make_table("LANE", *numbers, right=numbers)
    for load in loads:
        fullest = "-" if load.fullest_minute is None else f"{load.fullest_minute:%H:%M} UTC"
        cells = [load.customers, load.jobs, load.turns_per_minute, fullest, load.fullest_minute_turns]
        table.add_row(load.lane, *map(str, cells))
    return table


def _beat(age: float | None, *, leads: bool) -> str:
    if age is None:
        return "no beat has ever led: start `celery -A poller.app beat`"
    said = f"everything that was due is published up to {age_text(age)} ago"
    return said if leads else f"no beat leads: {said}; start `celery -A poller.app beat`"
