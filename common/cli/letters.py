"""`fleet dlq`: look at what can never succeed as it is, and send it again or close it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Group, RenderableType

from common.cli.ages import age_seconds, age_text
from common.cli.bootstrap import Parts, open_parts
from common.cli.failures import CommandFailed
from common.cli.options import AsJson, CustomerId, DryRun, operator
from common.cli.output import make_sheet, make_table, note, plain, show
from common.storage.dead_letters import DeadLetter

#: More than a customer can have: it is paused at a limit well below this.
ALL_LETTERS = 10_000

Letters = Annotated[list[int] | None, typer.Argument(metavar="[LETTER]...", show_default=False)]
Reason = Annotated[str | None, typer.Option(help="Only those with this reason.", show_default=False)]


def list_letters(
    customer_id: Annotated[str | None, typer.Argument(metavar="[ID]", show_default=False)] = None,
    reason: Reason = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Open dead letters, the oldest first."""
    with open_parts() as parts:
        if customer_id is not None:
            parts.customers.get(customer_id)
        found = parts.dead_letters.list(customer_id, reason=reason, limit=limit)
        now = parts.clock.now()

    def table() -> RenderableType:
        rows = make_table("LETTER", "CUSTOMER", "RECORD", "STAGE", "REASON", "FIELD", "AGE", right=("LETTER", "AGE"))
        for each in found:
            rows.add_row(
                str(each.dead_letter_id), each.customer_id, f"{each.resource}/{each.source_id}", each.stage,
                each.reason, each.field, age_text(age_seconds(each.created_at, now)),
            )  # fmt: skip
        return Group(rows, f"{len(found)} open" if len(found) < limit else f"the first {limit}; use --limit for more")

    show({"dead_letters": [_without_detail(each) for each in found]}, as_json=as_json, human=table)


def _without_detail(letter: DeadLetter) -> dict[str, object]:
    """`detail` is what the other system said: it may be personal, so only `dlq show` tells it."""
    values: dict[str, object] = plain(letter)
    return {name: value for name, value in values.items() if name != "detail"}


def show_letter(
    customer_id: CustomerId,
    letter: Annotated[int, typer.Argument(metavar="LETTER", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """One dead letter with its record. What it prints may be personal data."""
    with open_parts() as parts:
        parts.customers.get(customer_id)
        found = parts.dead_letters.show(customer_id, letter)
        if found is None:
            raise CommandFailed(_missing(customer_id, letter))
        parts.customers.note(customer_id, actor=operator(), action="dead_letter.shown", detail=str(letter))
    row, payload = found
    show({"dead_letter": row, "payload": payload}, as_json=as_json, human=lambda: _sheet(row, payload))


def _sheet(letter: DeadLetter, payload: Mapping[str, object]) -> RenderableType:
    values = {name: "-" if value is None else str(value) for name, value in plain(letter).items()}
    return Group(make_sheet(values), "", json.dumps(payload, indent=2, ensure_ascii=False))


def replay(
    customer_id: CustomerId,
    letters: Letters = None,
    every: Annotated[bool, typer.Option("--all", help="All open ones.")] = False,
    reason: Reason = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Send dead letters' events through once more."""
    if sum((bool(letters), every, reason is not None)) != 1:
        raise CommandFailed("give LETTERs, or --all, or --reason", exit_code=2)
    with open_parts() as parts:
        customer = parts.customers.get(customer_id)
        if letters:
            chosen = _chosen(parts, customer_id, letters)
        else:
            chosen = list(parts.dead_letters.list(customer_id, reason=reason, limit=ALL_LETTERS))
        done = [] if dry_run else _each(parts, chosen, "replayed", parts.dead_letters.replay)
        stages = {each.stage for each in done}
        told = not done or parts.hint(customer, poll="detect" in stages, delivery="apply" in stages, by="replay")
    _tell(chosen if dry_run else done, "replayed", dry_run=dry_run, as_json=as_json)
    if not told:
        note("Redis cannot be reached: the sweep and the next poll see to them when it is back")
    if done and not customer.is_active:
        note(f"{customer_id} is paused: they wait until `fleet customers resume {customer_id}`")


def discard(
    customer_id: CustomerId,
    letters: Annotated[list[int], typer.Argument(metavar="LETTER...", show_default=False)],
    why: Annotated[str, typer.Option(help="For whoever wonders later.", show_default=False)],
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Close dead letters for good."""
    with open_parts() as parts:
        parts.customers.get(customer_id)
        done = chosen = _chosen(parts, customer_id, letters)
        if not dry_run:

            def close(letter: DeadLetter, now: datetime) -> bool:
                return parts.dead_letters.discard(letter, why, now)

            done = _each(parts, chosen, "discarded", close, why)
    _tell(done, "discarded", dry_run=dry_run, as_json=as_json)


def _chosen(parts: Parts, customer_id: str, numbers: Sequence[int]) -> list[DeadLetter]:
    """Raises CommandFailed, naming each that is not there or not open, before anything is done."""
    letters, lines = [], []
    for number in dict.fromkeys(numbers):
        found = parts.dead_letters.show(customer_id, number)
        if found is None:
            lines.append(_missing(customer_id, number))
        elif found[0].state != "open":
            lines.append(f"customer {customer_id!r}: dead letter {number} was {found[0].state} already")
        else:
            letters.append(found[0])
    if lines:
        raise CommandFailed(*lines)
    return letters


def _missing(customer_id: str, number: int) -> str:
    return f"customer {customer_id!r}: there is no dead letter {number}; see `fleet dlq list {customer_id}`"


def _each(
    parts: Parts, letters: Sequence[DeadLetter], action: str, do: Callable[[DeadLetter, datetime], bool], why: str = ""
) -> list[DeadLetter]:
    """Those that were still open, each noted as it is done."""
    done = []
    for letter in letters:
        if do(letter, parts.clock.now()):
            detail = f"{letter.dead_letter_id} {why}".strip()
            parts.customers.note(letter.customer_id, actor=operator(), action=f"dead_letter.{action}", detail=detail)
            done.append(letter)
    return done


def _tell(letters: Sequence[DeadLetter], action: str, *, dry_run: bool, as_json: bool) -> None:
    numbers = [letter.dead_letter_id for letter in letters]
    words = f"{'would be ' if dry_run else ''}{action}: {', '.join(map(str, numbers)) or 'none'}"
    show({action: numbers, "dry_run": dry_run}, as_json=as_json, human=lambda: words)
