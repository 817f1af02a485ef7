"""`fleet dlq replay`: look at what it would come to, then put the letters to work as a batch with a name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType

from common.cli.bootstrap import Parts, open_parts
from common.cli.discarding import confirm
from common.cli.failures import CommandFailed
from common.cli.letter_choice import Every, Numbers, Reason, Resource, Since, Yes, chosen, filtered, words
from common.cli.letters import Values
from common.cli.options import AsJson, CustomerId, DryRun, operator
from common.cli.output import make_console, note, show
from common.cli.replay_preview import Preview, preview, preview_data, preview_view
from common.domain.batches import BatchState, NewBatch
from common.domain.customers import Customer
from common.domain.errors import CustomerInvalid
from common.domain.letters import DeadLetter

#: Safe in a command, a log line and a file name. Length in characters.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")


def replay(
    customer_id: CustomerId,
    letters: Numbers = None,
    every: Every = False,
    reason: Reason = None,
    resource: Resource = None,
    since: Since = None,
    name: Annotated[str | None, typer.Option(help="Of the batch; else the time.", show_default=False)] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Also what others changed at the destination.")
    ] = False,
    per_minute: Annotated[
        int | None, typer.Option(min=1, max=6000, help="Letters at most.", show_default=False)
    ] = None,
    looks: Annotated[bool, typer.Option("--preview/--no-preview", help="Ask both systems first.")] = True,
    values: Values = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Send dead letters' events through once more, as a batch: `fleet dlq batches` shows and stops it.

    First a preview, which asks both systems within their budgets: what would be applied, is there already, is
    superseded, or would overwrite what somebody else has changed. Nothing older ever takes a newer value's place.
    """
    with open_parts() as parts:
        now, customer = parts.clock.now(), parts.customers.get(customer_id)
        # Before anything is asked of the systems: a preview costs requests.
        batch_name = _free_name(parts, customer_id, name, now)
        which = filtered(customer_id, reason, resource, since, now)
        found = chosen(parts, customer_id, letters, which, every=every)
        rate = per_minute or parts.settings.replay_per_minute
        told = None
        if found and looks:
            told = preview(parts, customer, found, overwrites=overwrite, per_minute=rate, values=values)
        numbers = [letter.dead_letter_id for letter in found] if told is None else told.numbers
        data = _data(found, numbers, told, dry_run=dry_run)
        if numbers and not dry_run:
            if not yes:
                _ask(told, numbers)
            batch = NewBatch(
                customer_id=customer_id, name=batch_name, numbers=tuple(numbers), actor=operator(),
                chosen=words(letters, which), overwrites=overwrite, per_minute=rate,
                portion=parts.settings.replay_portion,
            )  # fmt: skip
            data["batch"] = batch.name
            _start(parts, customer, batch, now)
    show(data, as_json=as_json, human=lambda: _words(data, told, customer_id))


def _free_name(parts: Parts, customer_id: str, name: str | None, now: datetime) -> str:
    """Of the batch. Raises CommandFailed, CustomerInvalid."""
    text = f"replay-{now:%Y%m%d-%H%M%S}" if name is None else name
    if not NAME.fullmatch(text):
        raise CommandFailed(f"--name: {text!r}: use 1 to 63 letters, digits, '.', '-' and '_'", exit_code=2)
    if name is not None and parts.batches.get(customer_id, text) is not None:
        raise CustomerInvalid(customer_id, "--name", f"{text!r} is taken; choose another")
    return text


def _data(
    found: Sequence[DeadLetter], numbers: Sequence[int], told: Preview | None, *, dry_run: bool
) -> dict[str, Any]:
    left = [letter.dead_letter_id for letter in found if letter.dead_letter_id not in set(numbers)]
    data: dict[str, Any] = {"replayed": list(numbers), "left_out": left, "batch": None, "dry_run": dry_run}
    return data if told is None else {**data, "preview": preview_data(told)}


def _ask(told: Preview | None, numbers: Sequence[int]) -> None:
    if told is not None:
        console = make_console()
        console.stderr = True
        console.print(preview_view(told))
    confirm(f"{len(numbers)} dead letters would be replayed")


def _start(parts: Parts, customer: Customer, batch: NewBatch, now: datetime) -> None:
    """Its first portion at once; the sweep sees to the others."""
    parts.batches.create(batch, now)
    fed = parts.batches.feed(batch.customer_id, batch.name, now)
    told = not (fed.applied or fed.read_again) or parts.hint(
        customer, poll=bool(fed.read_again), delivery=bool(fed.applied), by="replay"
    )
    if not told:
        note("Redis cannot be reached: the sweep and the next poll see to them when it is back")
    if not customer.may_be_applied:
        state = "paused" if not customer.is_active else "not applied now"
        note(f"{batch.customer_id} is {state}: they wait until `fleet customers resume {batch.customer_id}`")


def _words(data: dict[str, Any], told: Preview | None, customer_id: str) -> RenderableType:
    numbers = ", ".join(map(str, data["replayed"])) or "none"
    if data["batch"] is None:
        line = f"{'would be ' if data['dry_run'] else ''}replayed: {numbers}"
    else:
        name = data["batch"]
        line = f"{BatchState.ACTIVE}: batch {name}: {numbers}; `fleet dlq batches show {customer_id} {name}`"
    return Group(*([] if told is None else [preview_view(told), ""]), line)
