"""`fleet dlq batches`: replays under way, and how to stop them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Group, RenderableType

from common.cli.ages import moment_text
from common.cli.bootstrap import open_parts
from common.cli.failures import CommandFailed
from common.cli.options import AsJson, CustomerId, operator
from common.cli.output import make_sheet, make_table, show
from common.domain.batches import Batch, BatchItem, BatchOutcome, BatchState

#: Letters named to a person; `--json` has all.
NAMED = 50

Name = Annotated[str, typer.Argument(metavar="NAME", help="The batch's name.", show_default=False)]
Why = Annotated[str, typer.Option(help="For whoever wonders later.")]


def list_batches(
    customer_id: Annotated[str | None, typer.Argument(metavar="[ID]", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Batches of replays, the latest first, with what has become of their letters."""
    with open_parts() as parts:
        if customer_id is not None:
            parts.customers.get(customer_id)
        found = parts.batches.list(customer_id, limit=limit)
    show({"batches": found}, as_json=as_json, human=lambda: _table(found))


def _table(found: Sequence[Batch]) -> RenderableType:
    table = make_table("BATCH", "CUSTOMER", "STATE", "LETTERS", "STARTED", "OUTCOMES", right=("LETTERS",))
    # Its name is what is typed next: where there is no room, others are cut.
    table.columns[0].min_width = max((len(each.name) for each in found), default=0)
    for each in found:
        started = moment_text(each.created_at)
        table.add_row(each.name, each.customer_id, each.state, str(each.total), started, _counts(each))
    return table


def _counts(batch: Batch) -> str:
    return ", ".join(f"{batch.counts[outcome]} {outcome}" for outcome in BatchOutcome if batch.counts.get(outcome))


def show_batch(customer_id: CustomerId, name: Name, as_json: AsJson = False) -> None:
    """One batch: how far it is, and what has become of each letter."""
    with open_parts() as parts:
        parts.customers.get(customer_id)
        batch = parts.batches.get(customer_id, name)
        if batch is None:
            raise CommandFailed(_missing(customer_id, name))
        items = parts.batches.items(customer_id, name)
    show({"batch": batch, "letters": items}, as_json=as_json, human=lambda: _sheet(batch, items))


def _sheet(batch: Batch, items: Sequence[BatchItem]) -> RenderableType:
    values = {
        "batch": f"{batch.name} of {batch.customer_id}",
        "state": batch.state,
        "letters": f"{batch.total}: {_counts(batch)}",
        "chosen": batch.chosen,
        "by": batch.actor,
        "pace": f"{batch.portion} on their way at most, {batch.per_minute} a minute",
        "overwrites": "yes" if batch.overwrites else "no",
        "started": moment_text(batch.created_at),
        "ended": moment_text(batch.finished_at),
    }
    table = make_table("LETTER", "RECORD", "OUTCOME", "AGAIN AS", right=("LETTER", "AGAIN AS"))
    for each in items[:NAMED]:
        record, again = f"{each.resource}/{each.source_id}", "" if each.again is None else str(each.again)
        table.add_row(str(each.dead_letter_id), record, each.outcome, again)
    more = [f"{len(items) - NAMED} more: --json has them all"] if len(items) > NAMED else []
    return Group(make_sheet(values), "", table, *more)


def pause(customer_id: CustomerId, name: Name, why: Why = "", as_json: AsJson = False) -> None:
    """Put no more letters to work; what is on its way arrives."""
    _change(customer_id, name, BatchState.PAUSED, why, as_json=as_json)


def resume(customer_id: CustomerId, name: Name, why: Why = "", as_json: AsJson = False) -> None:
    """Go on where it was paused."""
    _change(customer_id, name, BatchState.ACTIVE, why, as_json=as_json)


def cancel(customer_id: CustomerId, name: Name, why: Why = "", as_json: AsJson = False) -> None:
    """End it; letters whose turn has not come stay open."""
    _change(customer_id, name, BatchState.CANCELLED, why, as_json=as_json)


def _change(customer_id: str, name: str, state: BatchState, why: str, *, as_json: bool) -> None:
    with open_parts() as parts:
        parts.customers.get(customer_id)
        now = parts.clock.now()
        if not parts.batches.change(customer_id, name, state, actor=operator(), why=why, now=now):
            batch = parts.batches.get(customer_id, name)
            if batch is None:
                raise CommandFailed(_missing(customer_id, name))
            raise CommandFailed(f"customer {customer_id!r}: batch {name!r} is {batch.state}: it cannot become {state}")
    data = {"customer_id": customer_id, "batch": name, "state": state}
    show(data, as_json=as_json, human=lambda: f"batch {name} of {customer_id} is {state}")


def _missing(customer_id: str, name: str) -> str:
    return f"customer {customer_id!r}: there is no batch {name!r}; see `fleet dlq batches list {customer_id}`"
