"""`fleet events`: what has become of what was detected."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import RenderableType

from common.cli.bootstrap import open_parts
from common.cli.options import AsJson, CustomerId
from common.cli.output import make_table, show
from common.cli.runs import found_run
from common.domain.events import EventState


def events(
    customer_id: CustomerId,
    run_id: Annotated[
        str | None, typer.Option("--run", metavar="RUN", help="Only those that this run has made.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """How many of a customer's events are in each state."""
    with open_parts() as parts:
        parts.customers.get(customer_id)
        run = None if run_id is None else found_run(parts, run_id, customer_id)
        counts = parts.overview.event_states(customer_id, run_id=None if run is None else run.run_id)
    states = {str(state): counts.get(state, 0) for state in EventState}

    def table() -> RenderableType:
        rows = make_table("STATE", "EVENTS", right=("EVENTS",))
        for state, count in states.items():
            rows.add_row(state, str(count))
        return rows

    whose = {"customer_id": customer_id, **({} if run is None else {"run_id": run.run_id})}
    show({**whose, "events": states}, as_json=as_json, human=table)
