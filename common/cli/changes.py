"""`fleet customers set`: change how a customer is served. It counts within seconds, and nothing is restarted."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import fields, replace
from enum import StrEnum
from typing import Annotated, Any

import typer
from redis.exceptions import RedisError
from rich.console import RenderableType

from common.cli.bootstrap import Parts, open_parts
from common.cli.checks import problems
from common.cli.entries import read_settings
from common.cli.failures import CommandFailed
from common.cli.options import AsJson, CustomerId, DryRun, operator
from common.cli.output import make_table, note, show
from common.domain.customers import LANE_OF_TIER, Customer, CustomerStatus, Mode, Tier

Cadence = Annotated[
    list[str] | None,
    typer.Option(
        metavar="RESOURCE=SECONDS", help="Poll a resource apart from the rest; repeatable.", show_default=False
    ),
]


def set_one(
    customer_id: CustomerId,
    name: Annotated[str | None, typer.Option(help="What people call the customer.", show_default=False)] = None,
    tier: Annotated[str | None, typer.Option(help="premium, standard or basic.", show_default=False)] = None,
    poll_interval_seconds: Annotated[int | None, typer.Option(help="0: its tier's.", min=0, show_default=False)] = None,
    cadence: Cadence = None,
    no_cadences: Annotated[bool, typer.Option("--no-cadences", help="Poll all resources together.")] = False,
    mode: Annotated[str | None, typer.Option(help="continuous or nightly.", show_default=False)] = None,
    time_zone: Annotated[str | None, typer.Option(help="As in Europe/Berlin.", show_default=False)] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Change a customer. A change of tier takes its queued work to the tier's lane."""
    given = {
        "name": name, "tier": tier, "poll_interval_seconds": poll_interval_seconds, "mode": mode,
        "time_zone": time_zone, "cadences": {} if no_cadences else cadence and read_settings(cadence, "--cadence"),
    }  # fmt: skip
    with open_parts() as parts:
        before = parts.customers.get(customer_id)
        after = _after(parts, before, {key: value for key, value in given.items() if value is not None})
        changes = differences(before, after)
        moved = not changes or dry_run or _store(parts, before, after, changes)
    data = {"customer_id": customer_id, "changes": changes, "stored": bool(changes) and not dry_run}
    show(data, as_json=as_json, human=lambda: _view(customer_id, changes, dry_run=dry_run))
    if not moved:
        note("Redis cannot be reached: the sweep takes its queued work to the new lane when it is back")


def differences(before: Customer, after: Customer) -> dict[str, dict[str, Any]]:
    """By field: what it was, and what it is to be."""
    names = [field.name for field in fields(Customer) if getattr(before, field.name) != getattr(after, field.name)]
    return {name: {"before": getattr(before, name), "after": getattr(after, name)} for name in names}


def _after(parts: Parts, before: Customer, given: dict[str, Any]) -> Customer:
    """Raises CommandFailed with a line per mistake."""
    who = f"customer {before.customer_id!r}"
    if before.status is CustomerStatus.OFFBOARDED:
        raise CommandFailed(f"{who}: is offboarded; give it both tokens and resume it first")
    lines: list[str] = []
    for field, words in (("tier", Tier), ("mode", Mode)):
        if field in given:
            given[field] = _word(who, field, given[field], words, lines)
    if "cadences" in given:
        given["cadences"] = _seconds(who, given["cadences"], lines)
    if lines:
        raise CommandFailed(*lines)
    if given.get("poll_interval_seconds") == 0:
        given["poll_interval_seconds"] = None
    if "tier" in given:
        given["lane"] = LANE_OF_TIER[given["tier"]]
    after = replace(before, **given)
    found = problems(parts, after)
    if found:
        raise CommandFailed(*map(str, found))
    return after


def _word(who: str, field: str, value: str, words: type[StrEnum], lines: list[str]) -> StrEnum | None:
    if value in set(words):
        return words(value)
    close = difflib.get_close_matches(value, list(words), n=1)
    hint = f"; did you mean {close[0]}?" if close else f"; there is: {', '.join(words)}"
    lines.append(f"{who}: {field}: {value!r} is not known{hint}")
    return None


def _seconds(who: str, pairs: dict[str, str], lines: list[str]) -> dict[str, int]:
    for resource, value in pairs.items():
        if not value.isdecimal() or int(value) < 1:
            lines.append(f"{who}: cadences.{resource}: {value!r} is no number of seconds above 0")
    return {} if lines else {resource: int(value) for resource, value in pairs.items()}


def _store(parts: Parts, before: Customer, after: Customer, changes: dict[str, dict[str, Any]]) -> bool:
    """First the truth, then its place in the line. False if Redis cannot be told: the sweep repairs that."""
    parts.customers.change(after)
    detail = "; ".join(f"{name}: {_text(was['before'])} -> {_text(was['after'])}" for name, was in changes.items())
    parts.customers.note(after.customer_id, actor=operator(), action="customer.changed", detail=detail)
    try:
        parts.hot_set.move(after.customer_id, before.lane, after.lane)
    except RedisError:
        return before.lane is after.lane
    return True


def _view(customer_id: str, changes: dict[str, dict[str, Any]], *, dry_run: bool) -> RenderableType:
    if not changes:
        return f"{customer_id} is like that already: nothing to change"
    table = make_table("WOULD CHANGE" if dry_run else "CHANGED", "FROM", "TO")
    for name, was in changes.items():
        table.add_row(name, _text(was["before"]), _text(was["after"]))
    return table


def _text(value: object) -> str:
    if isinstance(value, dict):
        return _pairs([f"{key} every {seconds} s" for key, seconds in value.items()])
    return "its tier's" if value is None else str(value)


def _pairs(parts: Sequence[str]) -> str:
    return ", ".join(parts) or "all together"
