"""`fleet mapping`: what becomes of each field, checked and tried before anything is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType

from common.cli.bootstrap import Parts, open_parts
from common.cli.destinations import open_destination, read_record
from common.cli.failures import CommandFailed
from common.cli.options import AsJson, CustomerId, DryRun, operator
from common.cli.output import make_table, note, show
from common.cli.targets import look_at_targets
from common.domain.catalogue import RECORDS
from common.domain.customers import Customer
from common.domain.entities import EntityKey
from common.domain.events import EVENT_VERSION, Action, Event, EventState, Origin
from common.domain.mapping import CUSTOM, FieldMapping, read_mapping
from common.domain.writes import EventOutcome, Preview
from processor.handlers.kept import kept
from processor.handlers.registry import HANDLERS
from processor.pipeline import Work
from processor.steps.line import first_steps, last_steps, pass_through

#: Records put into the outbox in one transaction.
STEP = 500

Resource = Annotated[str | None, typer.Option("--resource", help="Only this one.", show_default=False)]


def show_mapping(customer_id: CustomerId, resource: Resource = None, as_json: AsJson = False) -> None:
    """Every resource with its fields: from where, through what, to where."""
    with open_parts() as parts:
        mapping = _mapping(parts.customers.get(customer_id))
    rows = [row for name in _chosen(resource) for row in _rows(mapping, name)]
    show({"customer_id": customer_id, "mapping": rows}, as_json=as_json, human=lambda: _table(rows))


def _mapping(customer: Customer) -> FieldMapping:
    return read_mapping(customer.customer_id, customer.mapping)


def _chosen(resource: str | None) -> Sequence[str]:
    if resource is not None and resource not in RECORDS:
        raise CommandFailed(f"{resource!r} is no resource; there is: {', '.join(RECORDS)}", exit_code=2)
    return [resource] if resource else list(RECORDS)


def _rows(mapping: FieldMapping, resource: str) -> Iterator[dict[str, object]]:
    """The rules, and the fields that go as they are."""
    said = mapping.of(resource)
    ruled = {rule.target: rule for rule in said.rules}
    own = [f.name for f in fields(RECORDS[resource]) if f.name not in ("extra", "custom_fields")]
    for target in [*own, *(target for target in ruled if target.startswith(CUSTOM))]:
        rule = ruled.get(target)
        yield {
            "resource": resource,
            "from": rule.source if rule else target,
            "transform": rule.transform_text if rule else "",
            "to": target,
            "required": bool(rule and rule.required),
            "off": said.is_off,
        }


def _table(rows: Sequence[dict[str, object]]) -> RenderableType:
    table = make_table("RESOURCE", "FROM", "TRANSFORM", "TO", "")
    for row in rows:
        remark = "off" if row["off"] else "required" if row["required"] else ""
        table.add_row(*(str(row[name]) for name in ("resource", "from", "transform", "to")), remark)
    return table


def check(customer_id: CustomerId, as_json: AsJson = False) -> None:
    """Ask the destination whether it has every custom field that the mapping names; `fleet status` shows it too."""
    with open_parts() as parts:
        problems = look_at_targets(parts, parts.customers.get(customer_id))
    data = {"customer_id": customer_id, "problems": problems}
    show(data, as_json=as_json, human=lambda: "\n".join(problems) or f"{customer_id}: the mapping fits its destination")
    if problems:
        raise CommandFailed(f"customer {customer_id!r}: {len(problems)} of its mapping's targets are not there")


def try_one(
    customer_id: CustomerId,
    record: Annotated[str, typer.Option("--record", metavar="[RESOURCE/]ID", help="As in users/4101.")],
    resource: Annotated[str, typer.Option("--resource", help="Where the record has none.")] = "users",
    as_json: AsJson = False,
) -> None:
    """Print the exact requests that a record would lead to now. Nothing is written; what it prints is personal data."""
    with open_parts() as parts:
        customer = parts.customers.get(customer_id)
        entity = read_record(customer_id, record, resource)
        ended, requests = _tried(parts, customer, entity)
        parts.customers.note(customer_id, actor=operator(), action="mapping.tried", detail=str(entity))
    data = {"record": f"{entity.resource}/{entity.source_id}", "ended": ended, "requests": requests}
    show(data, as_json=as_json, human=lambda: _requests(ended, requests))
    if ended is not None and ended.refusal is not None:
        raise CommandFailed(ended.refusal.message)


def _tried(parts: Parts, customer: Customer, entity: EntityKey) -> tuple[EventOutcome | None, Sequence[Preview]]:
    _chosen(entity.resource)
    known, now = parts.reviews.known(entity), parts.clock.now()
    if known is None:
        shown = f"{entity.resource}/{entity.source_id}"
        raise CommandFailed(f"customer {customer.customer_id!r}: the source has never shown {shown}")
    event = _event(entity, known.body, now)
    links = parts.delivery.links([entity])
    destination = open_destination(parts, customer)
    # As if nothing had been applied yet: what is there already shows as no request.
    forgotten = {each: replace(link, applied_version=0, applied_hash="") for each, link in links.items()}
    work = Work(entity=entity, event=event, link=forgotten.get(entity))
    wanted = pass_through([work], first_steps(_mapping(customer)))
    ready = [each.with_parents(parts.delivery.links(each.needs)) for each in wanted.works]
    plan = pass_through(ready, last_steps(destination, now))
    ended = next(iter((*wanted.ended, *plan.ended)), None)
    return ended, [request for each in plan.works for request in destination.preview(each.as_write())]


def _event(entity: EntityKey, payload: Mapping[str, Any], now: datetime) -> Event:
    """As if the source had just shown it."""
    return Event(
        event_id=0,
        entity=entity,
        partition=0,
        action=Action.UPSERT,
        version=1,
        event_version=EVENT_VERSION,
        payload=payload,
        origin=Origin.REPLAY,
        run_id="",
        trace_id="",
        state=EventState.PENDING,
        attempts=0,
        detected_at=now,
        occurred_at=now,
    )


def _requests(ended: EventOutcome | None, requests: Sequence[Preview]) -> RenderableType:
    if ended is not None:
        return f"nothing would be sent: {ended.state}: {ended.reason}"
    if not requests:
        return "nothing would be sent: the destination has it like this"
    return Group(*(f"{each.method} {each.route}\n{_body(each.body)}" for each in requests))


def _body(body: object) -> str:
    return json.dumps(body, indent=2, ensure_ascii=False)


def apply(customer_id: CustomerId, resource: Resource = None, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Send every record of the mirror through the mapping once more, as after a change of it.

    What the destination has like that already costs a look and no write.
    """
    with open_parts() as parts:
        customer = parts.customers.get(customer_id)
        _require_targets(parts, customer)
        counts = {name: _put_again(parts, customer, name, dry_run=dry_run) for name in _written(resource)}
        done = {name: count for name, count in counts.items() if count}
        if done and not dry_run:
            parts.customers.note(customer_id, actor=operator(), action="mapping.applied", detail=", ".join(done))
            if not parts.hint(customer, delivery=True, by="mapping"):
                note("Redis cannot be reached: the sweep sees to it when it is back")
    words = "would be sent again" if dry_run else "sent again"
    data = {"customer_id": customer_id, "records": done, "dry_run": dry_run}
    lines = "\n".join(f"{name}: {count} {words}" for name, count in done.items())
    show(data, as_json=as_json, human=lambda: lines or f"{customer_id} has no records yet")


def _written(resource: str | None) -> Sequence[str]:
    """Those of which anything is written. Raises CommandFailed for one of which nothing is."""
    names = [name for name in _chosen(resource) if HANDLERS.get(name) is not kept]
    if not names:
        raise CommandFailed(f"{resource}: kept for look-up, and nothing is written of them: nothing to send again")
    return names


def _require_targets(parts: Parts, customer: Customer) -> None:
    """Without them every record would be a dead letter."""
    if problems := look_at_targets(parts, customer):
        raise CommandFailed(f"nothing is sent: {problems[0]}; `fleet mapping check {customer.customer_id}` lists all")


def _put_again(parts: Parts, customer: Customer, resource: str, *, dry_run: bool) -> int:
    """How many records; in steps, so that no transaction is long."""
    customer_id = customer.customer_id
    if dry_run:
        return parts.mirror.count(customer_id, resource)
    count, last = 0, ""
    while ids := parts.mirror.ids_after(customer_id, resource, last, STEP):
        parts.delivery.apply_again([_entity(customer_id, resource, each) for each in ids], parts.clock.now())
        count, last = count + len(ids), ids[-1]
    return count


def _entity(customer_id: str, resource: str, source_id: str) -> EntityKey:
    return EntityKey(customer_id=customer_id, resource=resource, source_id=source_id)
