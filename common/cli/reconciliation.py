"""`fleet reconcile`: read again what polls have read, or all there is, and find what they missed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated

import typer
from rich.console import Group, RenderableType

from common.cli import moments
from common.cli.bootstrap import Parts, open_parts
from common.cli.estimate import reading_of
from common.cli.failures import CommandFailed
from common.cli.options import AsJson, CustomerId, DryRun, operator
from common.cli.output import make_table, note, show
from common.cli.readings import begun, require_known, require_scanned, served
from common.domain.customers import Customer
from common.domain.layers import RECONCILIATION_SECONDS, Layer
from common.storage.sizes import PostgresSizes
from poller.sources import registry


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One resource, as told with `--json`."""

    resource: str
    #: Records that are known to be read; of a full scan, all.
    records: int
    #: At the source, by the last estimate; what has changed unseen comes on top.
    requests: int
    #: False: a run of this layer was under way, and goes on instead.
    is_new: bool = True


def reconcile(
    customer_id: CustomerId,
    resource: Annotated[str | None, typer.Option(help="Only this, as in users.", show_default=False)] = None,
    full: Annotated[bool, typer.Option("--full", help="All there is: it shows what is gone.")] = False,
    since: Annotated[str | None, typer.Option(help="As in 7d, or a time; else 25 hours.", show_default=False)] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Read what changed in the last day once more, whatever the checkpoint says; with `--full`, everything."""
    with open_parts() as parts:
        customer = served(parts, customer_id)
        if full and since is not None:
            raise CommandFailed("--full reads everything: leave out --since", exit_code=2)
        now = parts.clock.now()
        start = moments.since(since, now) if since else now - timedelta(seconds=RECONCILIATION_SECONDS)
        layer, wanted = Layer.FULL if full else Layer.RECONCILIATION, _wanted(customer, resource)
        asked = _costs(parts, customer, wanted, None if full else start)
        if not dry_run:
            asked = _ask(parts, customer, layer, asked, None if full else start, now)
    data = {"customer_id": customer_id, "layer": layer, "since": None if full else start, "dry_run": dry_run}
    show({**data, "resources": asked}, as_json=as_json, human=lambda: _told(asked, layer, dry_run=dry_run))
    for each in asked:
        if not each.is_new:
            note(f"{each.resource}: such a run is under way already, and goes on")
    if not customer.is_active:
        note(f"{customer_id} is paused, so that nothing is read until it is resumed")


def _wanted(customer: Customer, resource: str | None) -> Sequence[str]:
    """Those that are read by their time of change. Raises CommandFailed for any other."""
    scanned = registry.scanned(customer)
    if resource is None:
        return scanned
    require_known(resource, registry.resources(customer))
    require_scanned(resource, scanned)
    return (resource,)


def _costs(parts: Parts, customer: Customer, wanted: Sequence[str], since: datetime | None) -> list[Asked]:
    """`since` None: everything."""
    sizes = PostgresSizes(parts.engine)
    reading, found = reading_of(parts, customer, sizes), []
    for name in wanted:
        records = int(reading.records.get(name, 0))
        share = 1.0
        if since is not None:
            changed = sizes.changed(customer.customer_id, name, since)
            share, records = (changed / records if records else 0.0), changed
        requests = max(1, math.ceil(reading.by_resource[name].backfill * share))
        found.append(Asked(resource=name, records=records, requests=requests))
    return found


def _ask(
    parts: Parts, customer: Customer, layer: Layer, asked: Sequence[Asked], since: datetime | None, now: datetime
) -> list[Asked]:
    """First the truth: the sweep asks for it until a worker has taken it, also if Redis is away."""
    began = {each.resource: begun(layer, now, since) for each in asked}
    new = parts.schedule.begin(customer.customer_id, layer, began, now)
    detail = ", ".join(each.resource for each in asked)
    parts.customers.note(customer.customer_id, actor=operator(), action=f"{layer}.asked_for", detail=detail)
    if not parts.hint(customer, poll=True, layer=layer, resources=[each.resource for each in asked]):
        note("Redis cannot be reached: the sweep sees to it when it is back")
    return [replace(each, is_new=each.resource in new) for each in asked]


def _told(asked: Sequence[Asked], layer: Layer, *, dry_run: bool) -> RenderableType:
    table = make_table("WOULD READ" if dry_run else "READS", "RECORDS", "REQUESTS", right=("RECORDS", "REQUESTS"))
    for each in asked:
        table.add_row(each.resource, f"{each.records:,}", f"{each.requests:,}")
    looks = ", and one request for each record that is missing, up to 50" if layer is Layer.FULL else ""
    return Group(table, f"{sum(each.requests for each in asked):,} requests in all{looks}")
