"""`fleet schedule`: what comes when, computed as the beat computes it."""

from __future__ import annotations

from calendar import day_name
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from common.cli.ages import age_seconds, age_text, moment_text
from common.cli.bootstrap import Parts, open_parts
from common.cli.failures import CommandFailed
from common.cli.options import AsJson
from common.cli.output import make_table, note, show
from common.cli.status import backfills_of
from common.domain.customers import Customer, Lane
from common.domain.events import Origin
from common.domain.layers import LAYER_TERMS, Layer
from poller.schedule.timetable import timetable_of
from poller.schedule.turns import Timetable, Turn
from poller.sources import registry as sources

#: A leading beat notes how far it is each second; with this much of silence, none leads.
SILENCE_SECONDS = 15.0
#: How far the overview looks ahead.
HORIZON_SECONDS = 3600.0
#: Whose runs are a layer's: of a resource without a checkpoint, the first poll is its backfill.
ORIGINS: Mapping[Layer, Collection[Origin]] = {
    layer: (terms.origin,) if terms.origin else (Origin.BACKFILL, Origin.POLL) for layer, terms in LAYER_TERMS.items()
}


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
    #: Of a weekly slot, as in Monday; None: every day.
    weekday: str | None
    lane: Lane
    next_at: datetime
    next_local: str
    #: Since when all of its resources have been read to the end; None: one of them never was.
    last_run_at: datetime | None


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
            _show_jobs(parts, parts.customers.get(customer_id), now, as_json=as_json)
            return
        turns, unscheduled = _all_turns(timetable_of(parts.settings), parts.customers.served(), now)
        until = parts.schedule.published_until()
    loads, age = loads_of(turns, now), age_seconds(until, now)
    leads = age is not None and age <= SILENCE_SECONDS
    data = {"lanes": loads, "beat_leads": leads, "published_until": until, "unscheduled": unscheduled}
    show(data, as_json=as_json, human=lambda: Group(_lanes(loads), "", beat_line(age)))
    for name, why in unscheduled.items():
        note(f"{name} cannot be scheduled: {why}")


def _show_jobs(parts: Parts, customer: Customer, now: datetime, *, as_json: bool) -> None:
    try:
        turns = _turns(timetable_of(parts.settings), customer, now)
    except Exception as error:  # noqa: BLE001 - whatever a row written by hand holds is one line
        raise CommandFailed(f"{customer.customer_id} cannot be scheduled: {_why(error)}") from None
    waiting = [each.resource for each in backfills_of(parts, customer.customer_id).get(customer.customer_id, ())]
    runs, resources = parts.overview.last_runs(customer.customer_id), sources.resources(customer) if turns else ()
    jobs = [job_of(turn, customer, now, last_run_at(turn, resources, runs)) for turn in turns]
    data = {
        "customer_id": customer.customer_id, "status": customer.status, "why": customer.status_reason,
        "paused_until": customer.paused_until, "jobs": jobs, "backfilling": waiting,
    }  # fmt: skip
    show(data, as_json=as_json, human=lambda: _jobs(customer, jobs, now))
    if waiting:
        note(f"backfilling, so that its polls go on with that first: {', '.join(waiting)}")


def last_run_at(turn: Turn, resources: Sequence[str], runs: Mapping[tuple[str, Origin], datetime]) -> datetime | None:
    """From when runs last ended well, by resource and origin; `resources` are all that the source has."""
    found: list[datetime] = []
    for resource in turn.resources or resources:
        ended = [runs[resource, origin] for origin in ORIGINS[turn.layer] if (resource, origin) in runs]
        if not ended:
            return None
        found.append(max(ended))
    return min(found, default=None)


def job_of(turn: Turn, customer: Customer, now: datetime, last_run: datetime | None) -> Job:
    moment = datetime.fromtimestamp(turn.after(now.timestamp())[0], tz=UTC)
    local = moment.astimezone(ZoneInfo(customer.time_zone))
    return Job(
        job=turn.job,
        layer=turn.layer,
        resources=turn.resources,
        every_seconds=None if turn.slot else turn.period_seconds,
        daily_at=f"{turn.slot.at:%H:%M}" if turn.slot else None,
        weekday=day_name[turn.slot.weekday] if turn.slot and turn.slot.weekday is not None else None,
        lane=turn.lane,
        next_at=moment,
        next_local=f"{local:%Y-%m-%d %H:%M:%S %Z}",
        last_run_at=last_run,
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


def _all_turns(timetable: Timetable, customers: Iterable[Customer], now: datetime) -> tuple[list[Turn], dict[str, str]]:
    """The turns of all, and, by customer, why one has none: as at the beat, it costs nobody else theirs."""
    turns: list[Turn] = []
    unscheduled: dict[str, str] = {}
    for customer in customers:
        try:
            turns += _turns(timetable, customer, now)
        except Exception as error:  # noqa: BLE001 - as at the beat, such a row costs its own customer alone
            unscheduled[customer.customer_id] = _why(error)
    return turns, unscheduled


def _why(error: Exception) -> str:
    # A time zone that is not known is a KeyError, whose words come in quotes.
    return str(error.args[0]) if isinstance(error, ZoneInfoNotFoundError) else str(error)


def _turns(timetable: Timetable, customer: Customer, now: datetime) -> list[Turn]:
    """None unless it is active. Raises whatever a row that makes no sense leads to; no server is asked."""
    if not customer.is_active:
        return []
    turns = timetable.turns(customer, sources.resources(customer), sources.scanned(customer))
    for turn in turns:
        turn.after(now.timestamp())  # A time zone is looked up only now.
    return turns


def _jobs(customer: Customer, jobs: Sequence[Job], now: datetime) -> RenderableType:
    if not customer.is_active:
        until = f" until {moment_text(customer.paused_until)}" if customer.paused_until else ""
        return f"{customer.customer_id} is {customer.status}{until}: nothing is scheduled ({customer.status_reason})"
    table = make_table("JOB", "RESOURCES", "COMES", "LANE", "NEXT, UTC", "NEXT, LOCAL", "LAST RUN", right=("LAST RUN",))
    table.columns[1].no_wrap = False  # A list may be long; the moments are what is asked for.
    for job in jobs:
        daily = f"{job.weekday or 'daily'} {job.daily_at}"
        comes = daily if job.daily_at else f"every {job.every_seconds:g} s"
        resources = "all" if job.resources is None else ", ".join(job.resources)
        # The year is the one that everybody knows.
        moments = f"{job.next_at:%m-%d %H:%M:%S}", job.next_local[len("2026-") :]
        table.add_row(job.job, resources, comes, job.lane, *moments, _ago(age_seconds(job.last_run_at, now)))
    return table


def _ago(age: float | None) -> str:
    return "never" if age is None else f"{age_text(age)} ago"


def _lanes(loads: Sequence[LaneLoad]) -> RenderableType:
    numbers = ("CUSTOMERS", "JOBS", "TURNS A MINUTE", "FULLEST MINUTE", "ITS TURNS")
    table = make_table("LANE", *numbers, right=numbers)
    for load in loads:
        fullest = "-" if load.fullest_minute is None else f"{load.fullest_minute:%H:%M} UTC"
        cells = [load.customers, load.jobs, load.turns_per_minute, fullest, load.fullest_minute_turns]
        table.add_row(load.lane, *map(str, cells))
    return table


def beat_line(age: float | None) -> Text:
    """Whether a beat leads, by the age in seconds of its last note; None: there never was one."""
    if age is None:
        return Text("no beat has ever led: start `celery -A poller.app beat`", style="red")
    said = f"everything that was due is published up to {age_text(age)} ago"
    if age <= SILENCE_SECONDS:
        return Text(f"a beat leads: {said}")
    return Text(f"no beat leads: {said}; start `celery -A poller.app beat`", style="red")
