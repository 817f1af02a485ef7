"""`fleet customers offboard`: serve a customer no more. Tokens, queue and pages are deleted; its history stays."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import Annotated

import typer
from redis.exceptions import RedisError

from common.cli.bootstrap import Parts, open_parts
from common.cli.failures import CommandFailed
from common.cli.options import AsJson, CustomerId, DryRun, operator
from common.cli.output import note, show
from common.domain.customers import CustomerStatus, System


@dataclass(frozen=True, kw_only=True)
class Removal:
    """What goes, and what will not be done."""

    customer_id: str
    #: Systems whose token is deleted.
    tokens: list[System]
    #: Messages on its queue; None if Redis cannot be asked.
    messages: int | None
    #: Events that were detected and will not be applied.
    open_events: int
    #: Pages at its source that are kept, each with the ids that it showed.
    pages: int
    done: bool = False

    @property
    def is_nothing(self) -> bool:
        """Of one that is offboarded already: something is left if Redis was away, tokens were given since, or a run was
        under way.
        """
        return not self.tokens and self.messages == 0 and not self.pages


def offboard(
    customer_id: CustomerId,
    why: Annotated[str, typer.Option(help="For whoever wonders later.", show_default=False)],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Stop serving a customer for good. Back: both tokens anew, then `resume`."""
    with open_parts() as parts:
        customer = parts.customers.get(customer_id)
        removal = _removal(parts, customer_id)
        if customer.status is CustomerStatus.OFFBOARDED and removal.is_nothing:
            raise CommandFailed(f"customer {customer_id!r}: is offboarded already: {customer.status_reason}")
        if not dry_run:
            if not yes:
                _ask(removal)
            parts.customers.offboard(customer_id, why)
            parts.customers.note(customer_id, actor=operator(), action="customer.offboarded", detail=why)
            pages = parts.pages.forget(customer_id)
            removal = replace(removal, messages=_forget(parts, customer_id), pages=pages, done=True)
    show(removal, as_json=as_json, human=lambda: _words(removal))


def _removal(parts: Parts, customer_id: str) -> Removal:
    states = parts.overview.event_states(customer_id)
    try:
        messages = parts.hot_set.depths([customer_id])[customer_id]
    except RedisError:
        messages = None
    return Removal(
        customer_id=customer_id,
        tokens=[system for system in System if system not in _missing(parts, customer_id)],
        messages=messages,
        open_events=states.get("pending", 0) + states.get("submitted", 0),
        pages=parts.pages.count(customer_id),
    )


def _ask(removal: Removal) -> None:
    if not sys.stdin.isatty():
        raise CommandFailed("nobody can be asked here: add --yes, or look first with --dry-run", exit_code=2)
    note(_words(removal))
    if typer.prompt("Type the customer's id to go on", err=True) != removal.customer_id:
        raise CommandFailed("that is another id: nothing was changed")


def _forget(parts: Parts, customer_id: str) -> int | None:
    """How many messages went with its queue; None if Redis cannot be reached."""
    lane = parts.customers.get(customer_id).lane
    try:
        return parts.hot_set.forget(customer_id, lane)
    except RedisError:
        note("Redis cannot be reached: its queue stays there, served by nobody, until this command is given again")
        return None


def way_back(parts: Parts, customer_id: str) -> str:
    """A line that says how an offboarded customer is served again."""
    tokens = [f"`fleet customers token {customer_id} {system}`" for system in _missing(parts, customer_id)]
    steps = ", then ".join([*tokens, f"`fleet customers resume {customer_id}`"])
    return f"customer {customer_id!r}: is offboarded; back it comes by {steps}"


def has_tokens(parts: Parts, customer_id: str) -> bool:
    return not _missing(parts, customer_id)


def _missing(parts: Parts, customer_id: str) -> list[System]:
    return [system for system in System if parts.keys.ciphertext(customer_id, system) is None]


def _words(removal: Removal) -> str:
    verb = "gone" if removal.done else "would go"
    tokens = ", ".join(removal.tokens) or "none"
    messages = "unknown" if removal.messages is None else str(removal.messages)
    return (
        f"{removal.customer_id}: {verb}: tokens ({tokens}), messages on its queue ({messages}), "
        f"pages that it was read from ({removal.pages}); "
        f"not applied: {removal.open_events} events; kept: its history, links and dead letters"
    )
