"""What a test of walks asks of a rig: to walk to the end, and what it has come to."""

from __future__ import annotations

from collections import Counter
from typing import Any

from common.domain.events import Action
from common.domain.layers import Layer
from common.domain.resources import GROUP_MEMBERS
from common.domain.runs import RunState
from support.recording import PollerRig
from support.scoped import ScopedSource

#: Slices of one run; a walk that takes more does not end.
SLICES = 200


def members(rig: PollerRig) -> dict[str, str]:
    """Those that are there, with the scope that shows each."""
    return {
        entity.source_id: row.scope
        for entity, row in rig.tables.mirror.items()
        if entity.resource == GROUP_MEMBERS and row.deleted_at is None
    }


def events(rig: PollerRig, resource: str = GROUP_MEMBERS) -> Counter[tuple[Action, str]]:
    """How often each was put out, by action and id."""
    return Counter((e.action, e.entity.source_id) for e in rig.tables.events if e.entity.resource == resource)


def deleted(rig: PollerRig) -> list[str]:
    return [source_id for action, source_id in events(rig) if action == Action.DELETE]


def report(rig: PollerRig, resource: str = GROUP_MEMBERS) -> Any:
    """Of the last run of it."""
    return [each for each in rig.tables.runs if each.resource == resource][-1]


def walk(rig: PollerRig, *, after_seconds: float = 0.0, resource: str = GROUP_MEMBERS) -> RunState:
    """Slices until the run is over, each at its time; one that was put off before this is waited for."""
    rig.clock.advance(after_seconds)
    for _ in range(SLICES):
        state = rig.run(resource)
        if state not in (None, RunState.CONTINUED):
            return RunState(state)
        row = rig.tables.rows.checkpoints["acme", resource, Layer.POLL]
        rig.clock.advance(max(0.0, (row.continue_at - rig.clock.now()).total_seconds()))
    raise AssertionError("the walk does not end")


def slowly(rig: PollerRig, source: ScopedSource, seconds: float) -> None:
    """Each answer takes so long."""
    source.between = lambda: rig.clock.advance(seconds)
