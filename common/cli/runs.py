"""`fleet runs list` and `fleet runs show`: what the pollers did, what it cost, and what has become of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

import typer
from rich.console import RenderableType

from common.cli.bootstrap import Parts, open_parts
from common.cli.failures import CommandFailed
from common.cli.moments import since as moment_since
from common.cli.options import AsJson
from common.cli.output import show
from common.cli.run_tables import list_table, shown_sheet
from common.domain.events import Origin
from common.domain.run_history import RunFilter
from common.domain.runs import RunReport, RunState
from poller.sources.registry import SOURCES

#: Of all customers at once, only runs of this length back, unless another time is asked for: a fleet makes a million a
#: day, and a filter that few of them pass would go through all there are.
OF_ALL = timedelta(days=1)

RunId = Annotated[str, typer.Argument(metavar="RUN", help="Its id, or enough of its beginning.", show_default=False)]
OriginOrLayer = Annotated[
    Origin | None, typer.Option("--origin", "--layer", help="Only those of a layer.", show_default=False)
]


def list_runs(
    customer_id: Annotated[str | None, typer.Argument(metavar="[ID]", show_default=False)] = None,
    *,
    resource: Annotated[str | None, typer.Option(help="Only those of a resource.", show_default=False)] = None,
    origin: OriginOrLayer = None,
    state: Annotated[RunState | None, typer.Option(help="Only those that stand so.", show_default=False)] = None,
    since: Annotated[
        str | None,
        typer.Option(help="Only those begun since then: 90m, 24h, 7d, or an ISO time.", show_default=False),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, the latest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """The latest runs of a customer; without ID, of all customers within the last day."""
    with open_parts() as parts:
        if customer_id is not None:
            parts.customers.get(customer_id)
        which = RunFilter(
            customer_id=customer_id, resource=_known(resource), origin=origin, state=state, limit=limit,
            since=_since(customer_id, since, parts.clock.now()),
        )  # fmt: skip
        found = parts.run_history.list(which)
    human: RenderableType = list_table(found, with_customer=customer_id is None)
    show({"runs": found}, as_json=as_json, human=lambda: human)


def _known(resource: str | None) -> str | None:
    """Raises CommandFailed for one that is never read: no runs would say that it was not read lately."""
    known = sorted({name for source in SOURCES.values() for name in source.resources})
    if resource is not None and resource not in known:
        raise CommandFailed(f"--resource: no source has {resource!r}; there are {', '.join(known)}", exit_code=2)
    return resource


def _since(customer_id: str | None, text: str | None, now: datetime) -> datetime | None:
    if text is not None:
        return moment_since(text, now)
    return now - OF_ALL if customer_id is None else None


def show_run(run_id: RunId, *, as_json: AsJson = False) -> None:
    """One run: what it read and detected, what has become of that and why, and its cost in requests."""
    with open_parts() as parts:
        shown = parts.run_history.show(found_run(parts, run_id))
        now = parts.clock.now()
    show({"run": shown}, as_json=as_json, human=lambda: shown_sheet(shown, now))


def found_run(parts: Parts, run_id: str, customer_id: str | None = None) -> RunReport:
    """The only one whose id begins so. Raises CommandFailed, naming those that do if there are several."""
    found = parts.run_history.find(run_id, customer_id)
    if not found:
        whose = "" if customer_id is None else f"customer {customer_id!r}: "
        raise CommandFailed(f"{whose}there is no run {run_id!r}; see `fleet runs list{_of(customer_id)}`")
    if len(found) > 1:
        raise CommandFailed(f"{run_id!r} is the beginning of several runs, give more of it: {_names(found)}")
    return found[0]


def _of(customer_id: str | None) -> str:
    return "" if customer_id is None else f" {customer_id}"


def _names(found: Sequence[RunReport]) -> str:
    return ", ".join(f"{each.run_id} of {each.customer_id}" for each in found)
