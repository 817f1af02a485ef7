"""`fleet explain`: one entity's whole story, and what happens next."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from common.cli.bootstrap import Parts, open_parts
from common.cli.coming import Around, next_of
from common.cli.failures import CommandFailed
from common.cli.options import AsJson, CustomerId, operator
from common.cli.output import show
from common.cli.pages import sightings_of, told_of
from common.cli.story import Step, moment, steps_of
from common.domain.entities import EntityKey
from common.storage.stories import PostgresStories, Story

#: Said each time, for whoever looks for them here.
NOT_KEPT = "not kept: attempts between the first 5 and the newest 20, and pages seen last more than {days:g} days ago"


def explain(
    customer_id: CustomerId,
    resource: Annotated[str, typer.Argument(metavar="RESOURCE", help="As in users.", show_default=False)],
    source_id: Annotated[str | None, typer.Argument(metavar="[SOURCE_ID]", show_default=False)] = None,
    destination_id: Annotated[
        str | None, typer.Option("--destination-id", help="Its id there, instead of its id at the source.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many events at most, the newest.")] = 100,
    values: Annotated[bool, typer.Option("--values", help="With the record's values: personal data.")] = False,
    as_json: AsJson = False,
) -> None:
    """One record's whole story: runs, versions, attempts, writes, answers, and what happens next."""
    if (source_id is None) == (destination_id is None):
        raise CommandFailed("give a SOURCE_ID, or --destination-id", exit_code=2)
    with open_parts() as parts:
        customer = parts.customers.get(customer_id)
        stories = PostgresStories(parts.engine)
        wanted = source_id or _linked(stories, customer_id, resource, destination_id or "")
        entity = EntityKey(customer_id=customer_id, resource=resource, source_id=wanted)
        story = stories.of(entity, limit=limit)
        around = Around(customer=customer, breakers=parts.breakers.of(customer_id), now=parts.clock.now())
        days = parts.settings.pages_kept_days
        sightings = sightings_of(story.pages, now=around.now, kept_for=timedelta(days=days))
        if story.is_empty:
            raise CommandFailed(f"{_unknown(stories, entity)}; {told_of(sightings, resource)}")
        if values:
            _note(parts, entity)
    steps, coming = steps_of(story, with_values=values), next_of(story, around)
    data = {
        "customer_id": customer_id, "resource": resource, "source_id": wanted, "now": around.now,
        "destination_id": None if story.link is None else story.link["destination_id"],
        "first_seen": story.events[0]["detected_at"] if story.events and not story.left_out else None,
        "last_seen": None if story.mirror is None else story.mirror["seen_at"],
        "left_out": story.left_out, "pages": sightings, "steps": steps, "next": coming,
        "not_kept": NOT_KEPT.format(days=days),
    }  # fmt: skip
    notes = [told_of(sightings, resource), NOT_KEPT.format(days=days)]
    show(data, as_json=as_json, human=lambda: _sheet(story, steps, coming, notes))


def _linked(stories: PostgresStories, customer_id: str, resource: str, destination_id: str) -> str:
    """The one record that is linked to it. Raises CommandFailed."""
    found = stories.linked_to(customer_id, resource, destination_id)
    if len(found) == 1:
        return found[0]
    if found:
        named = ", ".join(found)
        raise CommandFailed(
            f"customer {customer_id!r}: {destination_id} is linked to several {resource}: {named}; name one"
        )
    entity = EntityKey(customer_id=customer_id, resource=resource, source_id=destination_id)
    raise CommandFailed(_unknown(stories, entity, f"no {resource} record is linked to {destination_id}"))


def _unknown(stories: PostgresStories, entity: EntityKey, said: str = "") -> str:
    near = stories.near(entity.customer_id, entity.source_id)
    said = said or f"nothing is known of {entity.resource}/{entity.source_id}"
    also = f"; the same id is known as {', '.join(near)}" if near else ", nor of this id under any other resource"
    return f"customer {entity.customer_id!r}: {said}{also}"


def _note(parts: Parts, entity: EntityKey) -> None:
    detail = f"{entity.resource}/{entity.source_id}"
    parts.customers.note(entity.customer_id, actor=operator(), action="record.shown", detail=detail)


def _sheet(story: Story, steps: list[Step], coming: list[str], notes: list[str]) -> RenderableType:
    rows = Table.grid(padding=(0, 2, 0, 0))
    rows.add_column(no_wrap=True)
    rows.add_column(no_wrap=True)
    rows.add_column(overflow="fold")
    for step in steps:
        rows.add_row(moment(step.at), step.kind, "\n".join(_lines(step)))
    heading = f"{story.entity.customer_id}: {story.entity.resource}/{story.entity.source_id}   (times are UTC)"
    older = [f"{story.left_out} older versions are left out; use --limit"] if story.left_out else []
    ahead = [f"next: {line}" for line in coming]
    return Group(Text(heading, style="bold"), *older, "", rows, "", *ahead, *notes)


def _lines(step: Step) -> list[str]:
    ids = {"event": step.event_id, "run": step.run_id, "trace": step.trace_id}
    named = "  ".join(f"{name} {value}" for name, value in ids.items() if value)
    values = json.dumps(step.values, ensure_ascii=False) if step.values is not None else ""
    return [line for line in (step.what, named, values) if line]
