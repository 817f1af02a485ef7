"""`fleet backfill`: begin the first reading of a customer by hand, or see how it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Group, RenderableType

from common.cli.backfills import Backfilling
from common.cli.bootstrap import Parts, open_parts
from common.cli.estimate import reading_of
from common.cli.options import AsJson, CustomerId, DryRun, operator
from common.cli.output import make_table, note, show
from common.cli.readings import begun, require_known, require_scanned, served
from common.cli.status import backfills_of
from common.domain.checkpoints import Progress
from common.domain.customers import Customer
from common.domain.layers import Layer
from common.domain.limits import Share, allowance
from common.storage.sizes import PostgresSizes
from poller.sources import registry

MINUTES_AN_HOUR = 60


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One resource, as told with `--json`."""

    resource: str
    #: As far as they are known.
    records: int
    #: At the source, by the estimate; None: only its ways together are reckoned, see `fleet estimate`.
    requests: int | None
    #: At a backfill's part of the budget.
    hours: float | None


def backfill(
    customer_id: CustomerId,
    resource: Annotated[str | None, typer.Option(help="Only this, as in users.", show_default=False)] = None,
    dry_run: DryRun = False,
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="Read again from the start: nothing is doubled.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Begin a customer's first reading now, or show how far it is. Polls of a resource begin where it ends."""
    with open_parts() as parts:
        customer = served(parts, customer_id)
        wanted = _wanted(parts, customer, resource, from_scratch=from_scratch)
        costs = _costs(parts, customer, wanted) if dry_run else []
        if wanted and not dry_run:
            _ask(parts, customer, wanted, from_scratch=from_scratch)
        standing = [each for each in backfills_of(parts, customer_id).get(customer_id, ()) if each.resource in wanted]
    data = {"customer_id": customer_id, "dry_run": dry_run, "from_scratch": from_scratch, "resources": wanted,
            "costs": costs, "backfilling": standing}  # fmt: skip
    show(data, as_json=as_json, human=lambda: _told(customer_id, wanted, costs, standing, dry_run=dry_run))
    if not customer.is_active:
        note(f"{customer_id} is paused, so that nothing is read until it is resumed")


def _wanted(parts: Parts, customer: Customer, resource: str | None, *, from_scratch: bool) -> Sequence[str]:
    """Those without a checkpoint; from scratch, those that are read by their time of change. Raises CommandFailed."""
    known, scanned = registry.resources(customer), registry.scanned(customer)
    if resource is not None:
        require_known(resource, known)
    if from_scratch and resource is not None:
        require_scanned(resource, scanned)
    listed = PostgresSizes(parts.engine).listed(customer.customer_id)
    found = scanned if from_scratch else [name for name in known if name not in listed]
    return [name for name in found if resource in (None, name)]


def _costs(parts: Parts, customer: Customer, wanted: Sequence[str]) -> list[Wanted]:
    reading = reading_of(parts, customer, PostgresSizes(parts.engine))
    per_minute = allowance(reading.requests_per_minute, Share.BACKFILL, 1.0)
    found = []
    for name in wanted:
        spent = reading.ways.get(reading.chosen) if name == reading.choice_of else reading.by_resource.get(name)
        hours = None if spent is None else spent.backfill / per_minute / MINUTES_AN_HOUR
        records, requests = int(reading.records.get(name, 0)), None if spent is None else spent.backfill
        found.append(Wanted(resource=name, records=records, requests=requests, hours=hours))
    return found


def _ask(parts: Parts, customer: Customer, wanted: Sequence[str], *, from_scratch: bool) -> None:
    """First the truth: the sweep asks for it until a worker has taken it, also if Redis is away."""
    now = parts.clock.now()
    new = {name: begun(Layer.POLL, now) for name in wanted}
    if from_scratch:
        parts.backfills.begin_again(customer.customer_id, new, now)
    else:
        fresh = _without_kept(parts, customer, new)
        if fresh:
            parts.schedule.begin(customer.customer_id, Layer.POLL, fresh, now)
    detail = ", ".join(wanted) + (", from scratch" if from_scratch else "")
    parts.customers.note(customer.customer_id, actor=operator(), action="backfill.asked_for", detail=detail)
    if not parts.hint(customer, poll=True, resources=list(wanted)):
        note("Redis cannot be reached: the sweep sees to it when it is back")


def _without_kept(parts: Parts, customer: Customer, new: Mapping[str, Progress]) -> dict[str, Progress]:
    """What an earlier run has kept, the poll takes up by itself."""
    there = {row.resource for row in parts.backfills.standing(customer.customer_id)}
    return {name: progress for name, progress in new.items() if name not in there}


def _told(
    customer_id: str,
    wanted: Sequence[str],
    costs: Sequence[Wanted],
    standing: Sequence[Backfilling],
    *,
    dry_run: bool,
) -> RenderableType:
    if not wanted:
        return f"{customer_id} is through: every resource is polled; --from-scratch reads again"
    if dry_run:
        return _costs_table(costs)
    return Group(f"reads {', '.join(wanted)}", *(each.line for each in standing))


def _costs_table(costs: Sequence[Wanted]) -> RenderableType:
    figures = ("RECORDS", "REQUESTS", "MINUTES")
    table = make_table("WOULD READ", *figures, right=figures)
    for each in costs:
        requests = "?" if each.requests is None else f"{each.requests:,}"
        minutes = "?" if each.hours is None else f"{each.hours * MINUTES_AN_HOUR:,.1f}"
        table.add_row(each.resource, f"{each.records:,}", requests, minutes)
    return table
