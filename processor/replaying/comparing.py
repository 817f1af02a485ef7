"""What a replay would change at the destination, and what of that somebody else has changed since we last wrote."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from common.domain.batches import Baseline
from common.domain.mapping import FieldMapping
from common.domain.writes import Write
from processor.pipeline import Work
from processor.steps.line import first_steps, pass_through

#: What is there in the fields that are not as a write says.
Unlike = Callable[[Write], Mapping[str, Any]]
#: A field that holds one of these says nothing.
NOTHING_THERE: tuple[object, ...] = (None, "", [], {})


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Of one letter; fields by their names at the destination, with what is there."""

    #: Would be written.
    wanted: Mapping[str, Any]
    #: Of these: neither what we last wrote nor what the letter says.
    disputed: Mapping[str, Any]


def compare(work: Work, before: Baseline | None, mapping: FieldMapping, unlike: Unlike) -> Comparison:
    """`work` has passed the handler's step. `before`: what we last wrote; None: nothing, or it is not known."""
    wanted = unlike(work.as_write())
    if before is None or not wanted:
        return Comparison(wanted=wanted, disputed={})
    changed = _unlike_then(work, before.payload, before.version, mapping, unlike)
    filled = _unlike_then(work, _filled(before.payload, work.event.payload), before.version, mapping, unlike)
    names = {name for name in wanted if name in changed or (name in filled and filled[name] not in NOTHING_THERE)}
    # Where only that it differs is told, and not in what, it differs from both.
    names = {*wanted} if "" in changed else names - {""}
    return Comparison(wanted=wanted, disputed={name: wanted[name] for name in sorted(names)})


def _filled(before: Mapping[str, Any], letter: Mapping[str, Any]) -> Mapping[str, Any]:
    """What we said nothing of then, as the letter says it: what is there instead, somebody else has put there."""
    return {name: letter.get(name) if value in NOTHING_THERE else value for name, value in before.items()}


def _unlike_then(
    work: Work, payload: Mapping[str, Any], version: int, mapping: FieldMapping, unlike: Unlike
) -> Mapping[str, Any]:
    """By today's mapping; nothing where it makes nothing of what was written then."""
    event = replace(work.event, payload=payload, version=version)
    plan = pass_through([Work(entity=work.entity, event=event, link=work.link)], first_steps(mapping))
    return unlike(plan.works[0].with_parents(work.parents).as_write()) if plan.works else {}
