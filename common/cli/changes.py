"""`fleet customers set`: change how a customer is served. It counts within seconds, and nothing is restarted."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from redis.exceptions import RedisError
from rich.console import Group, RenderableType
from rich.table import Table

from common.cli.bootstrap import Parts, open_parts
from common.cli.checks import problems
from common.cli.entries import read_object, read_settings
from common.cli.failures import CommandFailed
from common.cli.offboarding import way_back
from common.cli.options import AsJson, Cadence, CustomerId, DryRun, operator
from common.cli.output import make_table, note, show
from common.cli.targets import look_at_targets
from common.domain.customers import LANE_OF_TIER, Customer, CustomerStatus, Mode, Tier
from common.domain.errors import CustomerInvalid, SyncError
from common.domain.targets import MAPPING_TARGETS

#: What says that a backfill has no hours.
ANY_TIME = "any"
#: What says that a customer is polled as its tier is.
TIERS_OWN = ("default", "0")


def set_one(
    customer_id: CustomerId,
    name: Annotated[str | None, typer.Option(help="What people call the customer.", show_default=False)] = None,
    tier: Annotated[str | None, typer.Option(help="premium, standard or basic.", show_default=False)] = None,
    every: Annotated[
        str | None,
        typer.Option(
            "--every",
            "--poll-interval-seconds",
            metavar="SECONDS|default",
            help="How often it is polled; default: as its tier is.",
            show_default=False,
        ),
    ] = None,
    cadence: Cadence = None,
    no_cadences: Annotated[bool, typer.Option("--no-cadences", help="Poll all resources together.")] = False,
    mode: Annotated[str | None, typer.Option(help="continuous or nightly.", show_default=False)] = None,
    backfill_hours: Annotated[
        str | None,
        typer.Option(metavar="HH:MM-HH:MM|any", help="Local times in which a backfill may read.", show_default=False),
    ] = None,
    time_zone: Annotated[str | None, typer.Option(help="As in Europe/Berlin.", show_default=False)] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="A JSON file; takes the place of the mapping it has.", show_default=False)
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Change a customer. A change of tier takes its queued work to the tier's lane.

    Cadences take the place of those it has.
    """
    if cadence and no_cadences:
        raise CommandFailed("give either --cadence or --no-cadences", exit_code=2)
    given = {
        "name": name, "tier": tier, "poll_interval_seconds": every, "mode": mode,
        "time_zone": time_zone, "mapping": mapping, "backfill_hours": backfill_hours,
        "cadences": {} if no_cadences else cadence and read_settings(cadence, "--cadence"),
    }  # fmt: skip
    with open_parts() as parts:
        before = parts.customers.get(customer_id)
        after = _after(parts, before, {key: value for key, value in given.items() if value is not None})
        changes = differences(before, after)
        moved = not changes or dry_run or _store(parts, before, after, changes)
        problems_of_targets = _missing(parts, after, keeps=not dry_run) if "mapping" in changes else []
    data = {"customer_id": customer_id, "changes": changes, "stored": bool(changes) and not dry_run}
    show(data, as_json=as_json, human=lambda: _view(customer_id, changes, dry_run=dry_run))
    for problem in problems_of_targets:
        note(problem)
    if after.backfill_hours and after.mode is Mode.NIGHTLY:
        note(f"{customer_id} is nightly: its first reading is its nights' too, and {after.backfill_hours} do not count")
    if not moved:
        note("Redis cannot be reached: the sweep takes its queued work to the new lane when it is back")


def _missing(parts: Parts, after: Customer, *, keeps: bool) -> Sequence[str]:
    """A destination that cannot be asked now keeps nobody from a change that is right in itself."""
    try:
        return look_at_targets(parts, after, keeps=keeps)
    except SyncError as error:
        return [f"customer {after.customer_id!r}: whether the custom fields are there is not known: {error}"]


def differences(before: Customer, after: Customer) -> dict[str, dict[str, Any]]:
    """By field: what it was, and what it is to be."""
    names = [field.name for field in fields(Customer) if getattr(before, field.name) != getattr(after, field.name)]
    return {name: {"before": getattr(before, name), "after": getattr(after, name)} for name in names}


def _after(parts: Parts, before: Customer, given: dict[str, Any]) -> Customer:
    """Raises CommandFailed with a line per mistake."""
    if before.status is CustomerStatus.OFFBOARDED:
        raise CommandFailed(way_back(parts, before.customer_id))
    wanted, mistakes = read_changes(before.customer_id, given)
    after = replace(before, **wanted)
    found = [*mistakes, *problems(after)]
    if found:
        raise CommandFailed(*map(str, found))
    return after


def read_changes(customer_id: str, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[CustomerInvalid]]:
    """Fields of a customer as they were typed: those that can be read, and what is wrong with the others."""
    wanted: dict[str, Any] = {}
    mistakes: list[CustomerInvalid] = []
    for field, part, value in _values(given):
        try:
            read = READERS[field](value)
        except ValueError as mistake:
            mistakes.append(CustomerInvalid(customer_id, f"{field}.{part}" if part else field, str(mistake)))
        else:
            wanted[field] = {**wanted.get(field, {}), part: read} if part else read
    if "tier" in wanted:
        wanted["lane"] = LANE_OF_TIER[wanted["tier"]]
    return wanted, mistakes


def _values(given: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Field, part of it if it has any, and value: a mistake names the part."""
    for field, value in given.items():
        if isinstance(value, Mapping) and value:
            yield from ((field, part, text) for part, text in value.items())
        else:
            yield field, "", value


def _name(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty")
    return text


def _word(text: str, words: type[StrEnum]) -> StrEnum:
    if text in set(words):
        return words(text)
    close = difflib.get_close_matches(text, list(words), n=1)
    hint = f"; did you mean {close[0]}?" if close else f"; there is: {', '.join(words)}"
    raise ValueError(f"{text!r} is not known{hint}")


def _every(text: str) -> int | None:
    return None if text in TIERS_OWN else _seconds(text)


def _seconds(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"{text!r} is no number of seconds above 0")
    return int(text)


#: How what was typed becomes a customer's field, or a part of it; a ValueError is what is wrong with it.
READERS: Mapping[str, Callable[[Any], Any]] = {
    "name": _name,
    "tier": lambda text: _word(text, Tier),
    "poll_interval_seconds": _every,
    "cadences": lambda given: {} if isinstance(given, Mapping) else _seconds(given),
    "mode": lambda text: _word(text, Mode),
    "backfill_hours": lambda text: "" if text == ANY_TIME else text,
    "time_zone": str,
    "mapping": read_object,
}


def _store(parts: Parts, before: Customer, after: Customer, changes: dict[str, dict[str, Any]]) -> bool:
    """First the truth, then its place in the line. False if Redis cannot be told: the sweep repairs that."""
    moves = before.lane is not after.lane
    hot_set = parts.hot_set if moves else None  # Before anything is stored: a setting may be missing.
    parts.customers.change(after)
    if "mapping" in changes:
        # What was found of the mapping before is no finding of this one, also if the look that follows fails.
        parts.references.forget(after.customer_id, MAPPING_TARGETS)
    detail = "; ".join(f"{name}: {_text(was['before'])} -> {_text(was['after'])}" for name, was in changes.items())
    parts.customers.note(after.customer_id, actor=operator(), action="customer.changed", detail=detail)
    try:
        if hot_set is not None:
            hot_set.move(after.customer_id, before.lane, after.lane)
    except RedisError:
        return False
    return True


def _view(customer_id: str, changes: dict[str, dict[str, Any]], *, dry_run: bool) -> RenderableType:
    if not changes:
        return f"{customer_id} is like that already: nothing to change"
    table = make_table("WOULD CHANGE" if dry_run else "CHANGED", "FROM", "TO")
    for name, was in changes.items():
        if name == "mapping":
            _add_mapping(table, was["before"], was["after"])
        else:
            table.add_row(name, _text(was["before"]), _text(was["after"]))
    if "mapping" not in changes:
        return table
    return Group(table, f"what is there already is sent again by `fleet mapping apply {customer_id}`")


def _add_mapping(table: Table, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """A row for each resource of which something else is said: as a whole it would not fit on a screen."""
    for resource in sorted({*before, *after}):
        told = [_rules(said.get(resource)) for said in (before, after)]
        if before.get(resource) != after.get(resource):
            table.add_row(f"mapping.{resource}", *told)


def _rules(said: Any) -> str:
    if said is None:
        return "as it is"
    rules = "\n".join(map(_rule, said.get("fields", [])))
    return "off" if said.get("off") else rules or "as it is"


def _rule(said: Mapping[str, Any]) -> str:
    through = f", {_text(said['transform'])}" if said.get("transform") else ""
    return f"{said['from']} to {said['to']}{through}{', required' if said.get('required') else ''}"


def _text(value: object) -> str:
    if isinstance(value, dict) and not all(isinstance(part, int) for part in value.values()):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict):
        return _pairs([f"{key} every {seconds} s" for key, seconds in value.items()])
    return "its tier's" if value is None else str(value)


def _pairs(parts: Sequence[str]) -> str:
    return ", ".join(parts) or "all together"
