"""`fleet customers list`, `show`, `pause` and `resume`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer
from rich.console import Group, RenderableType

from common.cli.ages import moment_text
from common.cli.bootstrap import Parts, open_parts
from common.cli.failures import CommandFailed
from common.cli.offboarding import has_tokens, way_back
from common.cli.options import AsJson, CustomerId, operator
from common.cli.output import make_sheet, make_table, note, show
from common.cli.troubles import Trouble, troubles_of
from common.domain.customers import Customer, CustomerStatus, Mode
from common.storage.customers import Note


def list_all(
    everybody: Annotated[bool, typer.Option("--all", help="Offboarded ones too.")] = False, as_json: AsJson = False
) -> None:
    """All customers that are served."""
    with open_parts() as parts:
        customers = [c for c in parts.customers.all() if everybody or c.status is not CustomerStatus.OFFBOARDED]

    def table() -> RenderableType:
        rows = make_table("CUSTOMER", "NAME", "TIER", "LANE", "STATUS", "TIME ZONE", "SOURCE", "DESTINATION")
        for each in customers:
            rows.add_row(
                each.customer_id, each.name, each.tier, each.lane, each.status, each.time_zone, each.source,
                each.destination,
            )  # fmt: skip
        return rows

    show({"customers": customers}, as_json=as_json, human=table)


def show_one(customer_id: CustomerId, as_json: AsJson = False) -> None:
    """One customer: its configuration, and what people did to it. No tokens."""
    with open_parts() as parts:
        customer = parts.customers.get(customer_id)
        notes = parts.customers.notes(customer_id)
        troubles = troubles_of(customer_id, parts.breakers.of(customer_id))
    data = {"customer": customer, "troubles": troubles, "audit": notes}
    show(data, as_json=as_json, human=lambda: _sheet(customer, troubles, notes))


def _sheet(customer: Customer, troubles: Sequence[Trouble], notes: Sequence[Note]) -> RenderableType:
    every = "its tier's" if customer.poll_interval_seconds is None else f"{customer.poll_interval_seconds} s"
    settings = [*_pairs("source", customer.source_settings), *_pairs("destination", customer.destination_settings)]
    values = {
        "customer": customer.customer_id,
        "name": customer.name,
        "status": f"{customer.status}: {customer.status_reason}" if customer.status_reason else customer.status,
        **({"applying": f"paused: {customer.applying_paused}"} if customer.applying_paused else {}),
        "paused until": moment_text(customer.paused_until),
        "parked until": f"{moment_text(customer.parked_until)} {customer.parked_reason}",
        **{f"its {trouble.system}": trouble.line for trouble in troubles},
        "tier, lane": f"{customer.tier}, {customer.lane}",
        "mode": customer.mode,
        "backfills read": _backfill_hours(customer),
        "polled every": every,
        "polled apart": ", ".join(f"{name} every {seconds} s" for name, seconds in customer.cadences.items()) or "-",
        "time zone": customer.time_zone,
        "region": customer.region,
        "source": customer.source,
        "destination": customer.destination,
        **dict(settings),
    }
    rows = make_table("AT", "WHO", "DID", "DETAIL")
    for each in notes:
        rows.add_row(moment_text(each.at), each.actor, each.action, each.detail)
    return Group(make_sheet(values), "", rows)


def _backfill_hours(customer: Customer) -> str:
    return "in its nights" if customer.mode is Mode.NIGHTLY else customer.backfill_hours or "at any time"


def _pairs(system: str, settings: Mapping[str, object]) -> list[tuple[str, str]]:
    return [(f"{system} {key}", str(value)) for key, value in settings.items()]


def pause(
    customer_id: CustomerId,
    why: Annotated[str, typer.Option(help="For whoever wonders later.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Stop polling and applying for a customer. Nothing is lost: it goes on where it stopped."""
    with open_parts() as parts:
        if parts.customers.get(customer_id).status is CustomerStatus.OFFBOARDED:
            raise CommandFailed(f"customer {customer_id!r}: is offboarded: there is nothing to pause")
        parts.customers.pause(customer_id, why)
        parts.customers.note(customer_id, actor=operator(), action="customer.paused", detail=why)
    show({"customer_id": customer_id, "status": "paused"}, as_json=as_json, human=lambda: f"{customer_id} is paused")


def resume(customer_id: CustomerId, as_json: AsJson = False) -> None:
    """Set a paused or parked customer to work again, at once. What is blocked needs `fleet credentials verify`."""
    with open_parts() as parts:
        _require_tokens(parts, parts.customers.get(customer_id))
        parts.breakers.retry(customer_id, parts.clock.now())
        parts.customers.resume(customer_id)
        parts.customers.note(customer_id, actor=operator(), action="customer.resumed")
        customer = parts.customers.get(customer_id)
        published = parts.hint(customer, poll=True, delivery=True, by="resume")
        if published:
            parts.hot_set.make_due(customer.lane, customer_id)
    data = {"customer_id": customer_id, "status": "active", "published": published}
    show(data, as_json=as_json, human=lambda: f"{customer_id} is active")
    if not published:
        note("Redis cannot be reached: the sweep sets it to work when it is back")


def _require_tokens(parts: Parts, customer: Customer) -> None:
    """Offboarding has deleted them. Raises CommandFailed."""
    if customer.status is CustomerStatus.OFFBOARDED and not has_tokens(parts, customer.customer_id):
        raise CommandFailed(way_back(parts, customer.customer_id))
