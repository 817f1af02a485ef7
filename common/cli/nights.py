"""`fleet nights`: what the nights of nightly customers came to, and one that is opened by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Group, RenderableType

from common.cli.ages import age_text, moment_text
from common.cli.bootstrap import Parts, open_parts
from common.cli.failures import CommandFailed
from common.cli.options import AsJson, CustomerId, DryRun, operator
from common.cli.output import make_sheet, make_table, note, show
from common.domain.customers import Customer, CustomerStatus, Mode
from common.domain.layers import Layer
from common.domain.nights import Night
from common.storage.nights import PostgresNights
from poller.schedule.timetable import timetable_of

#: Failures named to a person; `--json` has those that the report keeps.
FAILURES_NAMED = 10
#: Counts of a report, as they are told.
COUNTED: Mapping[str, str] = {
    "read": "read", "detected": "detected", "applied": "applied", "unchanged": "as it was", "superseded": "superseded",
    "skipped": "skipped", "dead_lettered": "dead letters", "discarded": "discarded",
    "submitted": "sent, not visible yet", "deferred": "left to the next night", "taken_over": "taken over",
    "source_requests": "requests to the source", "rate_limit_pauses": "rate-limit pauses",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A night by hand, as told with `--json`."""

    customer_id: str
    night_date: str
    #: False: one is open already and goes on; or `--dry-run`.
    opened: bool
    #: It ends then at the latest, if a worker takes it up now.
    until: datetime
    #: Events that wait for it.
    waiting: int
    #: When the next one would come by itself.
    next_at: datetime


def list_nights(
    customer_id: Annotated[str | None, typer.Argument(metavar="[ID]", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, the latest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """The latest nights of a customer, or of all."""
    with open_parts() as parts:
        if customer_id is not None:
            parts.customers.get(customer_id)
        found = PostgresNights(parts.engine).list(customer_id, limit)
    show({"nights": [_data(each) for each in found]}, as_json=as_json, human=lambda: _table(found))


def show_night(
    customer_id: CustomerId,
    night_date: Annotated[
        str | None, typer.Argument(metavar="[DATE]", help="As in 2026-03-31; else the last.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """One night: its phases, its report, and the first failures."""
    with open_parts() as parts:
        parts.customers.get(customer_id)
        found = PostgresNights(parts.engine).find(customer_id, _day(night_date))
    if found is None:
        of_date = f" of {night_date}" if night_date else ""
        raise CommandFailed(f"customer {customer_id!r}: there is no night{of_date}; see `fleet nights list`")
    show({"night": _data(found)}, as_json=as_json, human=lambda: _sheet(found))


def run_night(customer_id: CustomerId, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Open a night now: what waits is applied, after everything has been read."""
    with open_parts() as parts:
        customer = _nightly(parts, customer_id)
        now = parts.clock.now()
        data = _opened(parts, customer, now, dry_run=dry_run)
        if data.opened:
            parts.customers.note(customer_id, actor=operator(), action="night.asked_for")
            if not parts.hint(customer, poll=True, layer=Layer.NIGHTLY):
                note("Redis cannot be reached: the sweep sees to it when it is back")
    show(data, as_json=as_json, human=lambda: _told(data, dry_run=dry_run))


def _nightly(parts: Parts, customer_id: str) -> Customer:
    """Raises CommandFailed, naming the mend, for one that has no nights."""
    customer = parts.customers.get(customer_id)
    if customer.mode is not Mode.NIGHTLY:
        mend = f"it is polled continuously; `fleet customers set {customer_id} --mode nightly`, or `fleet poll`"
        raise CommandFailed(f"customer {customer_id!r}: mode: {mend}")
    if customer.status is not CustomerStatus.ACTIVE:
        mend = f"is {customer.status}: {customer.status_reason}; `fleet customers resume {customer_id}` first"
        raise CommandFailed(f"customer {customer_id!r}: status: {mend}")
    return customer


def _opened(parts: Parts, customer: Customer, now: datetime, *, dry_run: bool) -> Opened:
    day = now.astimezone(ZoneInfo(customer.time_zone)).date()
    waiting = parts.overview.event_states(customer.customer_id).get("pending", 0)
    store = PostgresNights(parts.engine)
    return Opened(
        customer_id=customer.customer_id,
        night_date=day.isoformat(),
        opened=not dry_run and store.open_by_hand(customer.customer_id, day, now),
        until=now + timedelta(hours=parts.settings.night_hours),
        waiting=waiting,
        next_at=next_night(parts, customer, now),
    )


def next_night(parts: Parts, customer: Customer, now: datetime) -> datetime:
    """When its next slot comes."""
    slot = timetable_of(parts.settings).night_slot(customer)
    return datetime.fromtimestamp(slot.after(now.timestamp())[0], tz=UTC)


def _told(data: Opened, *, dry_run: bool) -> str:
    if dry_run:
        what = "would be opened"
    else:
        what = "is open, and is taken up now" if data.opened else "was open already, and goes on"
    waits = f"{data.waiting:,} events wait for it, besides what it reads"
    return f"{data.customer_id}: a night {what}; it ends by {moment_text(data.until)}\n{waits}"


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise CommandFailed(f"{text!r} is no date: write 2026-03-31", exit_code=2) from None


def _data(night: Night) -> dict[str, Any]:
    """A night as told with `--json`."""
    names = (
        "customer_id", "part", "state", "phase", "reason", "claimed_at", "started_at", "deadline_at", "finished_at",
        "next_at", "attempts", "pauses", "probes", "report",
    )  # fmt: skip
    return {"night_date": night.night_date.isoformat(), **{name: getattr(night, name) for name in names}}


def _table(found: Sequence[Night]) -> RenderableType:
    numbers = ("APPLIED", "DEAD", "LEFT", "PAUSES", "TOOK")
    table = make_table("CUSTOMER", "NIGHT", "STATE", *numbers, right=numbers)
    for night in found:
        report = night.report
        cells = (str(report.get(name, "-")) for name in ("applied", "dead_lettered", "deferred"))
        took = age_text(report.get("duration_seconds"))
        table.add_row(night.customer_id, _name(night), _standing(night), *cells, str(night.pauses), took)
    reasons = [f"{each.customer_id} {_name(each)}: {each.reason}" for each in found if each.reason]
    return Group(table, *(["", *reasons] if reasons else []))


def _name(night: Night) -> str:
    return night.night_date.isoformat() + (f" by hand {night.part - 1}" if night.part > 1 else "")


def _standing(night: Night) -> str:
    return f"at {night.phase}" if night.is_open else str(night.state)


def _sheet(night: Night) -> RenderableType:
    report = night.report
    values = {
        "night": _name(night),
        "state": _standing(night),
        "why": night.reason or "-",
        "window": f"{moment_text(night.started_at)} to {moment_text(night.deadline_at)}",
        "ended": moment_text(night.finished_at),
        **{words: f"{report[name]:,}" for name, words in COUNTED.items() if name in report},
        "failure rate": f"{100 * report.get('failure_rate', 0):.1f} %",
        "applied through": report.get("applied_through") or "-",
        **{f"checkpoint of {name}": at for name, at in report.get("checkpoints", {}).items() if at},
    }
    named = report.get("failures", [])[:FAILURES_NAMED]
    lines = [f"{each['resource']}/{each['source_id']}: {each['stage']}: {each['reason']}" for each in named]
    return Group(make_sheet(values), *(["", *lines] if lines else []))
