"""`fleet dlq list` and `show`: what can never succeed as it is. Values are masked unless they are asked for."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType

from common.cli.ages import age_seconds, age_text, moment_text
from common.cli.bootstrap import open_parts
from common.cli.failures import CommandFailed
from common.cli.letter_choice import Number, Reason, Resource, Since, filtered, missing
from common.cli.options import AsJson, CustomerId, operator
from common.cli.output import make_sheet, make_table, plain, show
from common.domain.attempts import Attempt
from common.domain.letters import DeadLetter, LetterGroup, LetterState
from common.domain.masking import Mask
from common.domain.redaction import excerpt
from common.storage.attempts import PostgresAttempts

#: In the place of a state: every one of them.
ANY_STATE = "all"
Values = Annotated[bool, typer.Option("--values", help="Show the values themselves: personal data.")]
State = Annotated[str, typer.Option(help="open, replayed, discarded, superseded or all.")]


def list_letters(
    customer_id: Annotated[str | None, typer.Argument(metavar="[ID]", show_default=False)] = None,
    reason: Reason = None,
    resource: Resource = None,
    since: Since = None,
    state: State = LetterState.OPEN,
    rows: Annotated[bool, typer.Option("--rows", help="The letters too, of all customers.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many letters at most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Dead letters, counted by what they have in common; of one customer, one by one too, the oldest first."""
    with open_parts() as parts:
        if customer_id is not None:
            parts.customers.get(customer_id)
        now = parts.clock.now()
        which = filtered(customer_id, reason, resource, since, now, _state(state))
        groups = parts.dead_letters.groups(which)
        found = parts.dead_letters.find(which, limit=limit) if rows or customer_id is not None else None
    data: dict[str, Any] = {"groups": groups, "total": sum(group.count for group in groups)}
    if found is not None:
        data["dead_letters"] = [without_detail(letter) for letter in found]
    show(data, as_json=as_json, human=lambda: _tables(groups, found, now, limit))


def _state(text: str) -> LetterState | None:
    if text != ANY_STATE and text not in set(LetterState):
        raise CommandFailed(f"--state: {text!r} is none of {', '.join((*LetterState, ANY_STATE))}", exit_code=2)
    return None if text == ANY_STATE else LetterState(text)


def without_detail(letter: DeadLetter) -> dict[str, Any]:
    """`detail` is what the other system said: it may be personal, and is shown as an excerpt or on request."""
    values: dict[str, Any] = plain(letter)
    return {name: value for name, value in values.items() if name != "detail"}


def _tables(
    groups: Sequence[LetterGroup], letters: Sequence[DeadLetter] | None, now: datetime, limit: int
) -> RenderableType:
    total = sum(group.count for group in groups)
    if letters is None:
        return Group(_summary(groups, now), f"{total} in all; `fleet dlq list ID` or --rows shows them one by one")
    left = f"{total} in all" if len(letters) < limit else f"{total} in all, the first {limit}; use --limit for more"
    return Group(_summary(groups, now), "", _rows(letters, now), left)


def _summary(groups: Sequence[LetterGroup], now: datetime) -> RenderableType:
    right = ("COUNT", "OLDEST", "NEWEST")
    table = make_table("CUSTOMER", "REASON", "RESOURCE", "FIELD", *right, right=right)
    for each in groups:
        ages = (age_text(age_seconds(moment, now)) for moment in (each.oldest, each.newest))
        table.add_row(each.customer_id, each.reason, each.resource, each.field, str(each.count), *ages)
    return table


def _rows(letters: Sequence[DeadLetter], now: datetime) -> RenderableType:
    table = make_table(
        "LETTER", "CUSTOMER", "RECORD", "REASON", "FIELD", "TRIES", "AGE", "BATCH", right=("TRIES", "AGE")
    )
    for each in letters:
        table.add_row(
            str(each.dead_letter_id), each.customer_id, f"{each.resource}/{each.source_id}", each.reason, each.field,
            str(each.attempts), age_text(age_seconds(each.created_at, now)), each.batch,
        )  # fmt: skip
    return table


def show_letter(
    customer_id: CustomerId,
    letter: Number,
    values: Values = False,
    as_json: AsJson = False,
) -> None:
    """One dead letter: why, when, how often, of what, and what the other system said. Values only with --values."""
    with open_parts() as parts:
        parts.customers.get(customer_id)
        found = parts.dead_letters.show(customer_id, letter)
        if found is None:
            raise CommandFailed(missing(customer_id, letter))
        if values:
            parts.customers.note(customer_id, actor=operator(), action="dead_letter.shown", detail=str(letter))
        row, payload = found
        attempts = PostgresAttempts(parts.engine).attempts_of(customer_id, [row.event_id]).get(row.event_id, ())
    told = told_of(row, payload, values=values)
    fields = dict(payload) if values else Mask(key=secrets.token_bytes()).fields(payload)
    data = {"dead_letter": told, "attempts": attempts, "payload": fields}
    show(data, as_json=as_json, human=lambda: _sheet(told, attempts, fields))


def told_of(letter: DeadLetter, payload: Mapping[str, Any], *, values: bool) -> dict[str, Any]:
    """A letter as it may be told: what the other system said in full only on request."""
    said = {"said": excerpt(letter.detail, payload)}
    return {**without_detail(letter), **said, **({"detail": letter.detail} if values else {})}


def _sheet(told: Mapping[str, Any], attempts: Sequence[Attempt], payload: Mapping[str, Any]) -> RenderableType:
    moments = {name: moment_text(datetime.fromisoformat(told[name])) for name in ("created_at",) if told[name]}
    rows = {name: "-" if value in (None, "") else str(value) for name, value in {**told, **moments}.items()}
    fields = make_sheet({name: str(value) for name, value in payload.items()})
    return Group(make_sheet(rows), "", *([_tries(attempts), ""] if attempts else []), fields)


def _tries(attempts: Sequence[Attempt]) -> RenderableType:
    """The first and the newest: those between are forgotten, and the numbers show it."""
    table = make_table("TRY", "AT", "STATUS", "LED TO", "SAID", right=("TRY", "STATUS"), folded=("SAID",))
    for each in attempts:
        status = "" if each.status is None else str(each.status)
        table.add_row(str(each.number), moment_text(each.at), status, each.verdict, f"{each.error}: {each.message}")
    return table
