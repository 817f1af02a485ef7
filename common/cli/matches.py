"""`fleet matches`: who is who, where only a person can tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType

from common.cli.ages import age_seconds, age_text
from common.cli.bootstrap import Parts, open_parts
from common.cli.destinations import open_destination, read_record
from common.cli.failures import CommandFailed
from common.cli.options import AsJson, CustomerId, operator
from common.cli.output import make_sheet, make_table, note, show
from common.domain.entities import EntityKey
from common.domain.writes import Found, Link, ReviewKind
from common.storage.reviews import OpenReview

Record = Annotated[str, typer.Argument(metavar="RESOURCE/ID", help="As in users/4101.", show_default=False)]
#: Fields shown side by side.
COMPARED = ("first_name", "last_name", "email", "phone", "address")


def list_open(
    customer_id: Annotated[str | None, typer.Argument(metavar="[ID]", show_default=False)] = None,
    kind: Annotated[ReviewKind | None, typer.Option(help="Only these.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """What waits for a decision, the oldest first."""
    with open_parts() as parts:
        if customer_id is not None:
            parts.customers.get(customer_id)
        found, now = parts.reviews.open(customer_id, kind=kind, limit=limit), parts.clock.now()

    def table() -> RenderableType:
        rows = make_table("CUSTOMER", "RECORD", "KIND", "CANDIDATES", "AGE", "WHY", right=("AGE",))
        for each in found:
            age = age_text(age_seconds(each.created_at, now))
            candidates = ", ".join(each.candidates) or "-"
            rows.add_row(each.customer_id, _record(each), each.kind, candidates, age, each.reason)
        return Group(rows, f"{len(found)} open" if len(found) < limit else f"the first {limit}; use --limit for more")

    show({"matches": found}, as_json=as_json, human=table)


def _record(review: OpenReview) -> str:
    return f"{review.resource}/{review.source_id}"


def show_one(customer_id: CustomerId, record: Record, as_json: AsJson = False) -> None:
    """One of them beside its candidates. What it prints is personal data."""
    with open_parts() as parts:
        customer = parts.customers.get(customer_id)
        entity = read_record(customer_id, record)
        review, known = parts.reviews.one(entity), parts.reviews.known(entity)
        if known is None:
            raise CommandFailed(f"customer {customer_id!r}: the source has never shown {record}")
        ids = [*(review.candidates if review else ()), *filter(None, [known.destination_id])]
        destination = open_destination(parts, customer)
        shown = {each: destination.find(entity.resource, each) for each in dict.fromkeys(ids)}
        parts.customers.note(customer_id, actor=operator(), action="match.shown", detail=record)
    candidates = {each: dict(found.current) if found else None for each, found in shown.items()}
    data = {"review": review, "record": known, "candidates": candidates}
    show(data, as_json=as_json, human=lambda: _side_by_side(record, review, known.body, candidates))


def _side_by_side(
    record: str, review: OpenReview | None, body: Mapping[str, Any], candidates: Mapping[str, Mapping[str, str] | None]
) -> RenderableType:
    rows = make_table("FIELD", record, *candidates)
    for name in (*COMPARED, "people", "references", "archived", "merged_into"):
        there = [(found or {}).get(name, "is not there") for found in candidates.values()]
        rows.add_row(name, str(body.get(name, "")), *there)
    heading = {"kind": review.kind, "why": review.reason} if review else {"kind": "-", "why": "nothing is open"}
    return Group(make_sheet(heading), "", rows)


def link(
    customer_id: CustomerId,
    record: Record,
    destination_id: Annotated[str, typer.Argument(metavar="DESTINATION_ID", show_default=False)],
    shared: Annotated[bool, typer.Option("--shared", help="Although another record is linked to it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say that it is this record of the destination. From now on it is kept in step."""
    with open_parts() as parts:
        customer = parts.customers.get(customer_id)
        entity = read_record(customer_id, record)
        known = _require_known(parts, entity, record)
        others = parts.reviews.linked_to(customer_id, entity.resource, destination_id)
        if others and not shared:
            listed = ", ".join(f"{entity.resource}/{each}" for each in others)
            raise CommandFailed(f"{destination_id} is linked to {listed} already; use --shared if both are right")
        destination = open_destination(parts, customer)
        found = destination.find(entity.resource, destination_id)
        if found is None:
            raise CommandFailed(f"customer {customer_id!r}: {customer.destination} has no record {destination_id}")
        details = {**found.details, "adopted": True, "rung": "operator"}
        lost = known if known and _is_lost(destination.find(entity.resource, known)) else ""
        wanted = Link(entity=entity, destination_id=destination_id, details=details)
        parts.reviews.link(wanted, parts.clock.now(), lost=lost)
        _settle(parts, entity, "linked", f"{record} to {destination_id}")
    data = {"record": record, "destination_id": destination_id}
    show(data, as_json=as_json, human=lambda: f"{record} is linked to {destination_id}")


def _is_lost(linked: Found | None) -> bool:
    """Of the record that it is linked to: deleted there, or merged into another."""
    return linked is None or bool(linked.current.get("merged_into"))


def create(customer_id: CustomerId, record: Record, as_json: AsJson = False) -> None:
    """Say that it is nobody whom the destination has: it is created, whatever speaks against it."""
    with open_parts() as parts:
        parts.customers.get(customer_id)
        entity = read_record(customer_id, record)
        if parts.reviews.one(entity) is None:
            raise CommandFailed(f"customer {customer_id!r}: {record} waits for no decision; see `fleet matches list`")
        known = _require_known(parts, entity, record)
        if known is not None:
            raise CommandFailed(f"customer {customer_id!r}: {record} is linked to {known} already")
        parts.reviews.create(entity, parts.clock.now())
        _settle(parts, entity, "created", record)
    show({"record": record}, as_json=as_json, human=lambda: f"{record} will be created")


def _require_known(parts: Parts, entity: EntityKey, record: str) -> str | None:
    """Its destination id, if it has one. Raises CommandFailed if the source never showed it."""
    known = parts.reviews.known(entity)
    if known is None:
        raise CommandFailed(f"customer {entity.customer_id!r}: the source has never shown {record}")
    return known.destination_id


def _settle(parts: Parts, entity: EntityKey, action: str, detail: str) -> None:
    """Note it, and have the workers take it up."""
    parts.customers.note(entity.customer_id, actor=operator(), action=f"match.{action}", detail=detail)
    customer = parts.customers.get(entity.customer_id)
    if not parts.hint(customer, delivery=True, by="matches"):
        note("Redis cannot be reached: the sweep sees to it when it is back")
