"""`fleet credentials verify`: try the stored tokens, and let the systems that accept theirs be asked again."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Console, RenderableType
from rich.progress import track

from common.cli.bootstrap import Parts, open_parts
from common.cli.failures import CommandFailed
from common.cli.options import AsJson, operator
from common.cli.output import make_table, show
from common.cli.verification import ask
from common.domain.breakers import BreakerState
from common.domain.customers import Customer, System
from common.domain.errors import CredentialsBlocked, SyncError

#: What to verify: a customer's system.
Target = tuple[Customer, System]


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What became of one token, as told with `--json`."""

    customer_id: str
    system: System
    accepted: bool
    #: It was blocked, and is asked again from now on.
    unblocked: bool
    said: str


def verify(
    customer_id: Annotated[str | None, typer.Argument(metavar="[ID]", show_default=False)] = None,
    system: Annotated[System | None, typer.Argument(help="Else both.", show_default=False)] = None,
    all_blocked: Annotated[bool, typer.Option("--all-blocked", help="All that are, instead of one ID.")] = False,
    as_json: AsJson = False,
) -> None:
    """Try stored tokens with one cheap call each; who was blocked and is accepted goes back to work at once."""
    if (customer_id is None) == (not all_blocked):
        raise CommandFailed("give either an ID or --all-blocked", exit_code=2)
    with open_parts() as parts:
        targets = _blocked(parts) if customer_id is None else _of(parts, customer_id, system)
        results = [_verify(parts, *target) for target in _with_progress(targets, quiet=as_json)]
    show({"credentials": results}, as_json=as_json, human=lambda: _table(results))
    refused = [f"{each.customer_id}: {each.system}: {each.said}" for each in results if not each.accepted]
    if refused:
        raise CommandFailed(*refused)


def _of(parts: Parts, customer_id: str, system: System | None) -> Sequence[Target]:
    customer = parts.customers.get(customer_id)
    return [(customer, each) for each in System if system in (None, each)]


def _blocked(parts: Parts) -> Sequence[Target]:
    blocked = [
        (row.customer_id, system)
        for row in parts.overview.customers()
        for system, breaker in row.breakers.items()
        if breaker.state is BreakerState.BLOCKED
    ]
    return [(parts.customers.get(customer_id), system) for customer_id, system in blocked]


def _with_progress(targets: Sequence[Target], *, quiet: bool) -> Sequence[Target]:
    """On stderr, and only for somebody who watches."""
    console = Console(file=sys.stderr)
    hidden = quiet or not console.is_terminal or len(targets) < len(System) + 1
    return list(targets) if hidden else track(targets, "verifying", console=console, transient=True)  # type: ignore[return-value]


def _verify(parts: Parts, customer: Customer, system: System) -> Verified:
    problem = _try(parts, customer, system)
    unblocked = False if problem else accept(parts, customer, system, action="credentials.verified")
    return Verified(
        customer_id=customer.customer_id,
        system=system,
        accepted=not problem,
        unblocked=unblocked,
        said=problem or "accepted",
    )


def _try(parts: Parts, customer: Customer, system: System) -> str:
    """What is wrong; empty: nothing."""
    try:
        ask(parts, customer, system, parts.vault.open(customer.customer_id, system), parts.budget)
    except CredentialsBlocked as block:
        return str(block)
    except SyncError as error:
        return f"cannot be verified now: {error}"
    return ""


def accept(parts: Parts, customer: Customer, system: System, *, action: str) -> bool:
    """A token was proved: note who did it, and set what waited for it to work. True if it was blocked."""
    unblocked = parts.breakers.unblock(customer.customer_id, system)
    detail = f"{system}, was blocked" if unblocked else str(system)
    parts.customers.note(customer.customer_id, actor=operator(), action=action, detail=detail)
    if unblocked:
        parts.hint(customer, poll=system is System.SOURCE, delivery=system is System.DESTINATION, by="verify")
    return unblocked


def _table(results: Sequence[Verified]) -> RenderableType:
    if not results:
        return "nothing is blocked"
    table = make_table("CUSTOMER", "SYSTEM", "TOKEN", "NOW")
    for each in results:
        now = "goes on" if each.unblocked else "as before" if each.accepted else "not asked until it is mended"
        cells = each.customer_id, each.system, "accepted" if each.accepted else "not accepted", now
        table.add_row(*cells, style="" if each.accepted else "red")
    return table
