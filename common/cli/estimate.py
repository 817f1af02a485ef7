"""`fleet estimate`: what a customer costs in requests, at both systems, and how long its first backfill takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType

from common.cli.bootstrap import Parts, open_parts
from common.cli.options import AsJson, CustomerId
from common.cli.output import make_sheet, make_table, show
from common.cli.verification import client_of
from common.cli.writing import Writing, writing
from common.domain.customers import Customer, System
from common.domain.limits import SHARE_FRACTIONS, Share, allowance
from common.domain.sources import Source
from common.storage.sizes import PostgresSizes
from poller.schedule.timetable import timetable_of
from poller.sources import registry
from poller.sources.estimates import Reckoned, Spent

MINUTES_A_DAY, MINUTES_AN_HOUR = 1440, 60
FIGURES = ("RECORDS", "A POLL", "A DAY", "BACKFILL")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The source's side."""

    source: str
    poll_seconds: float
    by_resource: Mapping[str, Spent]
    records: Mapping[str, int]
    choice_of: str
    ways: Mapping[str, Spent]
    chosen: str
    why: str
    total: Spent
    requests_per_minute: int
    #: How much of the budget polls take over a day; above 1 they fall behind.
    day_fraction: float
    backfill_hours: float
    unknown: Sequence[str]
    asked: Sequence[str]
    #: Polled apart, at a cadence of their own; the figures take them as polled with the rest.
    apart: Sequence[str]


def estimate(customer_id: CustomerId, as_json: AsJson = False) -> None:
    """What a customer costs in requests: a poll, a day, a first backfill; and how long that takes at its budgets.

    Before its first poll each list of the source is asked how many there are: one request each, on its own budget.
    """
    with open_parts() as parts:
        customer = parts.customers.get(customer_id)
        sizes = PostgresSizes(parts.engine)
        source = reading_of(parts, customer, sizes)
        records = {**source.records, **sizes.counts(customer_id)}
        destination = writing(customer, records, parts.settings.crm_requests_per_hour)
    data = {"customer_id": customer_id, "source": source, "destination": destination}
    show(data, as_json=as_json, human=lambda: _told(source, destination))


def reading_of(parts: Parts, customer: Customer, sizes: PostgresSizes) -> Reading:
    """May ask the source how many there are, one request a list. Raises SyncError."""
    poll_seconds, now = timetable_of(parts.settings).reading_seconds(customer), parts.clock.now()
    kept = parts.references.get(customer.customer_id, registry.PLAN, not_before=now - registry.PLAN_KEPT)
    found = registry.definition(customer).reckon(
        customer,
        sizes,
        poll_seconds=poll_seconds,
        kept=kept or registry.NO_PLAN,
        now=now,
        open_source=lambda: _open(parts, customer),
    )
    return _at_its_budget(customer, found, poll_seconds, parts.settings.volunteer_requests_per_minute)


def _at_its_budget(customer: Customer, found: Reckoned, poll_seconds: float, per_minute: int) -> Reading:
    backfill = allowance(per_minute, Share.BACKFILL, 1.0)
    return Reading(
        source=customer.source,
        poll_seconds=poll_seconds,
        by_resource=found.by_resource,
        records=found.records,
        choice_of=found.choice_of,
        ways=found.ways,
        chosen=found.chosen,
        why=found.why,
        total=found.total,
        requests_per_minute=per_minute,
        day_fraction=found.total.per_day / (per_minute * MINUTES_A_DAY),
        backfill_hours=found.total.backfill / backfill / MINUTES_AN_HOUR,
        unknown=found.unknown,
        asked=found.asked,
        apart=sorted(customer.cadences),
    )


def _open(parts: Parts, customer: Customer) -> Source:
    """On its own budget, with its stored token. Raises CustomerInvalid if it has none."""
    token = parts.vault.open(customer.customer_id, System.SOURCE)
    api = client_of(parts, customer, System.SOURCE, token, parts.budget)
    return registry.definition(customer).open(api, customer)


def _told(source: Reading, destination: Writing | None) -> RenderableType:
    parts = [_requests(source), "", _sheet(source)]
    if destination is not None:
        parts += ["", _writes(destination)]
    return Group(*parts, *(f"note: {line}" for line in _notes(source)))


def _requests(source: Reading) -> RenderableType:
    table = make_table("REQUESTS", *FIGURES, right=FIGURES)
    for resource, spent in source.by_resource.items():
        table.add_row(resource, _records(source, resource), *_figures(spent))
    for way, spent in source.ways.items():
        mark = "  <- chosen" if way == source.chosen else ""
        table.add_row(f"{source.choice_of} by {way}{mark}", "", *_figures(spent))
    table.add_row("in all", "", *_figures(source.total))
    return table


def _records(source: Reading, resource: str) -> str:
    count = source.records.get(resource)
    return "?" if count is None or resource in source.unknown else f"{count:,}"


def _figures(spent: Spent) -> tuple[str, str, str]:
    return f"{spent.per_poll:,.1f}", f"{spent.per_day:,.0f}", f"{spent.backfill:,}"


def _sheet(source: Reading) -> RenderableType:
    part = f"{SHARE_FRACTIONS[Share.BACKFILL]:.0%}"
    return make_sheet(
        {
            f"{source.choice_of}": f"by {source.chosen}: {source.why}",
            "polled every": f"{source.poll_seconds:,.0f} s",
            f"budget of {source.source}": f"{source.requests_per_minute:,} requests a minute; "
            f"what a day takes is {source.day_fraction:.1%} of it",
            "first backfill": f"{_hours(source.backfill_hours)} at {part} of the budget, which is a backfill's share",
        }
    )


def _writes(destination: Writing) -> RenderableType:
    table = make_table("WRITES", "RECORDS", "REQUESTS", right=("RECORDS", "REQUESTS"))
    for resource, requests in destination.by_resource.items():
        table.add_row(resource, f"{destination.records[resource]:,}", f"{requests:,.0f}")
    table.add_row("in all", "", f"{destination.requests:,.0f}")
    part = f"{SHARE_FRACTIONS[Share.BACKFILL]:.0%} of {destination.requests_per_hour:,} requests an hour"
    line = {f"backfill of {destination.destination}": f"{_hours(destination.hours)} at {part}"}
    return Group(table, "", make_sheet(line))


def _hours(hours: float) -> str:
    return f"{hours:,.1f} h" if hours >= 1 else f"{hours * MINUTES_AN_HOUR:,.1f} min"


def _notes(source: Reading) -> Iterator[str]:
    if source.asked:
        yield f"the source was asked how many there are of {', '.join(source.asked)}: {len(source.asked)} requests"
    if source.unknown:
        yield f"not known before they have been read, and so not in the figures: {', '.join(source.unknown)}"
    if source.apart:
        yield f"polled apart, which the figures leave out: {', '.join(source.apart)}"
    if source.day_fraction > 1:
        yield "polls take more than the budget has: they fall behind; poll less often, or ask for a higher limit"
