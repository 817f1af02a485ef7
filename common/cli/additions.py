"""`fleet customers add` and `fleet customers token`: the two commands that take tokens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import SecretStr

from common.cli.bootstrap import Parts, open_parts
from common.cli.checks import problems
from common.cli.credentials import accept
from common.cli.entries import Entry, read_entry, read_file, read_settings
from common.cli.failures import CommandFailed
from common.cli.onboarding import onboard
from common.cli.options import AsJson, Cadence, CustomerId, operator
from common.cli.output import note, show
from common.cli.tokens import read_token
from common.cli.verification import verify
from common.domain.breakers import CLOSED, BreakerState
from common.domain.customers import Customer, System
from common.domain.errors import CustomerInvalid

Pairs = Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", show_default=False)]
TokenFile = Annotated[Path | None, typer.Option(help="File with the token; else it is asked for.", show_default=False)]
NoVerify = Annotated[bool, typer.Option("--no-verify", help="Do not try the tokens.")]
#: What one customer takes besides its id.
New = tuple[Customer, SecretStr, SecretStr]


def add(
    customer_id: Annotated[str | None, typer.Argument(metavar="[ID]", show_default=False)] = None,
    name: Annotated[str | None, typer.Option(help="What people call the customer.", show_default=False)] = None,
    tier: Annotated[str | None, typer.Option(help="premium, standard or basic.", show_default=False)] = None,
    lane: Annotated[str | None, typer.Option(help="Else its tier's.", show_default=False)] = None,
    time_zone: Annotated[str, typer.Option(help="As in Europe/Berlin.")] = "UTC",
    poll_interval_seconds: Annotated[int | None, typer.Option(help="Else its tier's.", show_default=False)] = None,
    mode: Annotated[str, typer.Option(help="continuous or nightly.")] = "continuous",
    cadence: Cadence = None,
    source_setting: Pairs = None,
    destination_setting: Pairs = None,
    source_token_file: TokenFile = None,
    destination_token_file: TokenFile = None,
    file: Annotated[Path | None, typer.Option(help="JSON list of customers, instead.", show_default=False)] = None,
    no_verify: NoVerify = False,
    as_json: AsJson = False,
) -> None:
    """Add a customer, or all of a file, and poll at once.

    Tokens come from files, from hidden prompts, or from standard input, a line each: first the source's.
    """
    if (customer_id is None) == (file is None):
        raise CommandFailed("give either an ID or --file", exit_code=2)
    if file is not None:
        _add_file(file, no_verify=no_verify, as_json=as_json)
        return
    given = {
        "customer_id": customer_id, "name": name, "tier": tier, "lane": lane, "time_zone": time_zone,
        "poll_interval_seconds": poll_interval_seconds, "mode": mode, "source_token_file": source_token_file,
        "destination_token_file": destination_token_file,
    }  # fmt: skip
    settings = {
        "cadences": read_settings(cadence, "--cadence"),
        "source_settings": read_settings(source_setting, "--source-setting"),
        "destination_settings": read_settings(destination_setting, "--destination-setting"),
    }
    _add_one({**_given(given), **settings}, no_verify=no_verify, as_json=as_json)


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _add_one(values: dict[str, Any], *, no_verify: bool, as_json: bool) -> None:
    entry = read_entry(values, "of the command line")
    customer = entry.customer()
    with open_parts() as parts:
        _refuse(_problems(parts, [entry]))
        source = read_token(customer.customer_id, System.SOURCE, entry.source_token_file)
        destination = read_token(customer.customer_id, System.DESTINATION, entry.destination_token_file)
        warnings = onboard(parts, customer, source, destination, verified=not no_verify)
    _tell([customer.customer_id], [], warnings, as_json=as_json)


def _add_file(path: Path, *, no_verify: bool, as_json: bool) -> None:
    """All entries must be sound before the first is added; then each is added whole, or named."""
    entries, unreadable = read_file(path)
    with open_parts() as parts:
        new, missing = _with_tokens(entries, path.parent)
        _refuse([*unreadable, *_problems(parts, entries), *missing])
        added, failed, warnings = _onboard_all(parts, new, no_verify=no_verify)
    _tell(added, failed, warnings, as_json=as_json)
    _refuse([str(problem) for problem in failed])


def _with_tokens(entries: Sequence[Entry], folder: Path) -> tuple[list[New], list[str]]:
    new, lines = [], []
    for entry in entries:
        tokens: list[SecretStr] = []
        for system in (System.SOURCE, System.DESTINATION):
            try:
                tokens.append(entry.token(system, folder))
            except CustomerInvalid as problem:
                lines.append(str(problem))
        if len(tokens) == len(System):
            new.append((entry.customer(), tokens[0], tokens[1]))
    return new, lines


def _problems(parts: Parts, entries: Sequence[Entry]) -> list[str]:
    taken = {customer.customer_id for customer in parts.customers.all()}
    found: list[CustomerInvalid] = []
    for entry in entries:
        found += problems(entry.customer())
        if entry.customer_id in taken:
            found.append(CustomerInvalid(entry.customer_id, "customer_id", "is taken; choose another"))
    return [str(problem) for problem in found]


def _onboard_all(
    parts: Parts, new: Sequence[New], *, no_verify: bool
) -> tuple[list[str], list[CustomerInvalid], list[str]]:
    """Who was added, who was not, and what a person should know of those who were."""
    added: list[str] = []
    failed: list[CustomerInvalid] = []
    warnings: list[str] = []
    for customer, source, destination in new:
        try:
            warnings += onboard(parts, customer, source, destination, verified=not no_verify)
            added.append(customer.customer_id)
        except CustomerInvalid as problem:
            failed.append(problem)
    return added, failed, warnings


def _refuse(lines: Sequence[str]) -> None:
    if lines:
        raise CommandFailed(*lines)


def _tell(added: Sequence[str], failed: Sequence[CustomerInvalid], warnings: Sequence[str], *, as_json: bool) -> None:
    data = {"added": added, "failed": [str(problem) for problem in failed], "warnings": warnings}
    words = f"added and asked for a first poll: {', '.join(added)}" if added else "added: none"
    show(data, as_json=as_json, human=lambda: words)
    for warning in warnings:
        note(warning)


def token(
    customer_id: CustomerId,
    system: Annotated[System, typer.Argument(help="Whose token it is.", show_default=False)],
    file: TokenFile = None,
    no_verify: NoVerify = False,
    as_json: AsJson = False,
) -> None:
    """Give a customer a new token."""
    with open_parts() as parts:
        customer = parts.customers.get(customer_id)
        given = read_token(customer_id, system, file)
        if not no_verify:
            verify(parts, customer, system, given, parts.budget)
        parts.vault.put(customer_id, system, given)
        if no_verify:
            parts.customers.note(customer_id, actor=operator(), action="customer.token_given", detail=system)
        else:
            accept(parts, customer, system, action="customer.token_given")
        breaker = parts.breakers.of(customer_id).get(system, CLOSED)
    data = {"customer_id": customer_id, "system": system, "verified": not no_verify}
    show(data, as_json=as_json, human=lambda: f"{customer_id}: the {system} has a new token")
    if breaker.state is BreakerState.BLOCKED:
        note(f"the {system} stays blocked until `fleet credentials verify {customer_id} {system}`")
    if not customer.is_active:
        note(f"{customer_id} is {customer.status}: `fleet customers resume {customer_id}` sets it to work again")
