"""`fleet deletions`: what is gone at the source by all evidence, and is too much to be believed without a person."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Group, RenderableType

from common.cli.ages import age_seconds, age_text
from common.cli.bootstrap import Parts, open_parts
from common.cli.failures import CommandFailed
from common.cli.options import AsJson, CustomerId, DryRun, operator
from common.cli.output import make_table, note, show
from common.storage.deletions import Held

Resource = Annotated[str | None, typer.Option(help="Only these, as in users.", show_default=False)]
Why = Annotated[str, typer.Option(help="For whoever wonders later.", show_default=False)]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What was decided, or would be, as told with `--json`."""

    customer_id: str
    #: `approved` or `rejected`.
    decision: str
    held: Sequence[Held]
    #: How many were decided; 0 with `--dry-run`.
    done: int = 0


def list_held(
    customer_id: Annotated[str | None, typer.Argument(metavar="[ID]", show_default=False)] = None,
    resource: Resource = None,
    as_json: AsJson = False,
) -> None:
    """Deletions that the fuse holds. Nothing is archived before you `approve` them."""
    with open_parts() as parts:
        if customer_id is not None:
            parts.customers.get(customer_id)
        found, now = parts.deletions.held(customer_id, resource=resource), parts.clock.now()

    def table() -> RenderableType:
        numbers = ("HELD", "OF", "AGE")
        rows = make_table("CUSTOMER", "RESOURCE", *numbers, "AS IN", right=numbers)
        for each in found:
            age = age_text(age_seconds(each.since, now))
            cells = f"{each.count:,}", f"{each.records:,}", age, ", ".join(each.examples)
            rows.add_row(each.customer_id, each.resource, *cells)
        return Group(rows, f"{sum(each.count for each in found):,} held")

    show({"deletions": found}, as_json=as_json, human=table)


def approve(
    customer_id: CustomerId,
    resource: Resource = None,
    why: Why = "",
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """They are gone: what we created or adopted of them is archived at the destination."""
    _decide(customer_id, "approved", resource=resource, why=why, yes=yes, dry_run=dry_run, as_json=as_json)


def reject(
    customer_id: CustomerId,
    resource: Resource = None,
    why: Why = "",
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """They are there: kept as they are. A source that goes on hiding them has to prove it anew."""
    _decide(customer_id, "rejected", resource=resource, why=why, yes=yes, dry_run=dry_run, as_json=as_json)


def _decide(
    customer_id: str, decision: str, *, resource: str | None, why: str, yes: bool, dry_run: bool, as_json: bool
) -> None:
    with open_parts() as parts:
        parts.customers.get(customer_id)
        held = parts.deletions.held(customer_id, resource=resource)
        if not held:
            which = f"of {resource} " if resource else ""
            raise CommandFailed(f"customer {customer_id!r}: no deletion {which}is held; see `fleet deletions list`")
        done = 0
        if not dry_run:
            if not yes:
                _ask(customer_id, decision, held)
            done = _carry_out(parts, customer_id, decision, resource, why)
    data = Decision(customer_id=customer_id, decision=decision, held=held, done=done)
    show(data, as_json=as_json, human=lambda: _words(data, dry_run=dry_run))


def _ask(customer_id: str, decision: str, held: Sequence[Held]) -> None:
    if not sys.stdin.isatty():
        raise CommandFailed("nobody can be asked here: add --yes, or look first with --dry-run", exit_code=2)
    note(f"{customer_id}: {_counted(held)} will be {decision}")
    if typer.prompt("Type the customer's id to go on", err=True) != customer_id:
        raise CommandFailed("that is another id: nothing was changed")


def _carry_out(parts: Parts, customer_id: str, decision: str, resource: str | None, why: str) -> int:
    """First a note of who wants it, so that a command that is killed half-way has one too."""
    customer, deletions = parts.customers.get(customer_id), parts.deletions
    detail = ": ".join(filter(None, [resource or "all", why]))
    parts.customers.note(customer_id, actor=operator(), action=f"deletions.{decision}", detail=detail)
    decide = deletions.approve if decision == "approved" else deletions.reject
    done = decide(customer_id, resource, actor=operator(), why=why, now=parts.clock.now())
    if decision == "approved" and not parts.hint(customer, delivery=True, by="deletions"):
        note("Redis cannot be reached: the sweep sees to it when it is back")
    return done


def _words(decision: Decision, *, dry_run: bool) -> str:
    if dry_run:
        return f"{decision.customer_id}: {_counted(decision.held)} would be {decision.decision}"
    return f"{decision.customer_id}: {decision.done:,} deletions are {decision.decision}"


def _counted(held: Sequence[Held]) -> str:
    return ", ".join(f"{each.count:,} deletions of {each.records:,} {each.resource}" for each in held)
