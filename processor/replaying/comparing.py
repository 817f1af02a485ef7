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
    earlier = None if before is None else _as_then(work, before, mapping)
    changed = unlike(earlier.as_write()) if earlier is not None and wanted else {}
    # Where only that it differs is told, and not in what, it differs from both.
    names = wanted.keys() & changed.keys() or ({*wanted} if "" in {*wanted, *changed} and changed else set())
    return Comparison(wanted=wanted, disputed={name: wanted[name] for name in sorted(names)})


def _as_then(work: Work, before: Baseline, mapping: FieldMapping) -> Work | None:
    """By today's mapping. None: it makes nothing of what was written then."""
    event = replace(work.event, payload=before.payload, version=before.version)
    plan = pass_through([Work(entity=work.entity, event=event, link=work.link)], first_steps(mapping))
    return plan.works[0].with_parents(work.parents) if plan.works else None
