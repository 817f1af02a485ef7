"""`fleet runs list` and `fleet events`: what was detected, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Group, RenderableType

from common.cli.ages import age_seconds, age_text, moment_text
from common.cli.bootstrap import open_parts
from common.cli.options import AsJson, CustomerId
from common.cli.output import make_table, show
from common.domain.events import EventState
from common.domain.runs import RunReport

NUMBERS = ("TOOK", "CALLS", "READ", "DETECTED", "SAME", "BROKEN", "GONE")


def list_runs(
    customer_id: CustomerId,
    limit: Annotated[int, typer.Option(min=1, help="How many, the latest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """A customer's latest runs."""
    with open_parts() as parts:
        parts.customers.get(customer_id)
        runs = parts.overview.runs(customer_id, limit)
    show({"runs": runs}, as_json=as_json, human=lambda: _runs_table(runs))


def _runs_table(runs: Sequence[RunReport]) -> RenderableType:
    table = make_table("STARTED", "RESOURCE", "ORIGIN", "STATE", *NUMBERS, right=NUMBERS)
    for run in runs:
        took = age_seconds(run.started_at, run.finished_at) if run.finished_at else None
        counts = run.counts
        table.add_row(
            moment_text(run.started_at), run.resource, run.origin, run.state, age_text(took),
            *map(str, (counts.requests, counts.read, counts.detected, counts.unchanged, counts.broken, counts.deleted)),
        )  # fmt: skip
    errors = [f"{moment_text(run.started_at)}  {run.error}" for run in runs if run.error]
    return Group(table, *(["", *errors] if errors else []))


def events(customer_id: CustomerId, as_json: AsJson = False) -> None:
    """How many of a customer's events are in each state."""
    with open_parts() as parts:
        parts.customers.get(customer_id)
        counts = parts.overview.event_states(customer_id)
    states = {str(state): counts.get(state, 0) for state in EventState}

    def table() -> RenderableType:
        rows = make_table("STATE", "EVENTS", right=("EVENTS",))
        for state, count in states.items():
            rows.add_row(state, str(count))
        return rows

    show({"customer_id": customer_id, "events": states}, as_json=as_json, human=table)
