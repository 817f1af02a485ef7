"""Which dead letters a command is about: by their numbers, or all that a filter finds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer

from common.cli.bootstrap import Parts
from common.cli.failures import CommandFailed
from common.cli.moments import since as moment_of
from common.cli.output import note
from common.domain.letters import DeadLetter, LetterFilter, LetterState

#: Far more than a customer should have, for nothing more of it is read or applied at a limit well below this. What a
#: command leaves is told.
ALL_LETTERS = 10_000

#: What a number of PostgreSQL holds, a bigint.
MOST = 2**63 - 1

Numbers = Annotated[list[int] | None, typer.Argument(metavar="[LETTER]...", min=1, max=MOST, show_default=False)]
Number = Annotated[int, typer.Argument(metavar="LETTER", min=1, max=MOST, show_default=False)]
Every = Annotated[bool, typer.Option("--all", help="All open ones.")]
Reason = Annotated[str | None, typer.Option(help="Only those with this reason.", show_default=False)]
Resource = Annotated[str | None, typer.Option(help="Only those of this resource.", show_default=False)]
Since = Annotated[str | None, typer.Option(help="Only newer ones: 90m, 24h, 7d, or an ISO time.", show_default=False)]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def filtered(
    customer_id: str | None, reason: str | None, resource: str | None, since: str | None, now: datetime,
    state: LetterState | None = LetterState.OPEN,
) -> LetterFilter:  # fmt: skip
    """Raises CommandFailed for a moment that is none."""
    moment = None if since is None else moment_of(since, now)
    return LetterFilter(customer_id=customer_id, reason=reason, resource=resource, since=moment, state=state)


def chosen(
    parts: Parts, customer_id: str, numbers: Sequence[int] | None, which: LetterFilter, *, every: bool
) -> Sequence[DeadLetter]:
    """Raises CommandFailed if it is said in no way, or in two, or a number is not an open letter of the customer."""
    has_filter = any(value is not None for value in (which.reason, which.resource, which.since))
    if sum((bool(numbers), every, has_filter)) != 1:
        raise CommandFailed("give LETTERs, or --all, or a filter: --reason, --resource, --since", exit_code=2)
    parts.customers.get(customer_id)
    if numbers:
        return _numbered(parts, customer_id, numbers)
    return found(parts, which)


def found(parts: Parts, which: LetterFilter) -> Sequence[DeadLetter]:
    """The oldest ALL_LETTERS at most; that there are more is told."""
    letters = parts.dead_letters.find(which, limit=ALL_LETTERS + 1)
    if len(letters) > ALL_LETTERS:
        note(
            f"there are more than {ALL_LETTERS} dead letters: these are the oldest ones; ask by customer or --resource"
        )
    return letters[:ALL_LETTERS]


def words(numbers: Sequence[int] | None, which: LetterFilter) -> str:
    """How they were chosen, for whoever wonders later."""
    if numbers:
        return "by number"
    named = {"reason": which.reason, "resource": which.resource, "since": which.since}
    return ", ".join(f"{name} {value}" for name, value in named.items() if value is not None) or "all open ones"


def _numbered(parts: Parts, customer_id: str, numbers: Sequence[int]) -> Sequence[DeadLetter]:
    """All or none: each that is not there or not open is named, before anything is done."""
    which = LetterFilter(customer_id=customer_id, numbers=tuple(numbers), state=None)
    there = {letter.dead_letter_id: letter for letter in parts.dead_letters.find(which, limit=len(numbers))}
    lines = [missing(customer_id, number) for number in dict.fromkeys(numbers) if number not in there]
    lines += [
        f"customer {customer_id!r}: dead letter {number} was {letter.state} already"
        for number, letter in there.items()
        if letter.state != LetterState.OPEN
    ]
    if lines:
        raise CommandFailed(*lines)
    return list(there.values())


def missing(customer_id: str, number: int) -> str:
    return f"customer {customer_id!r}: there is no dead letter {number}; see `fleet dlq list {customer_id}`"
