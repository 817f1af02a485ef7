"""What a changed group means: its members should carry the tag of its name."""

from __future__ import annotations

from common.domain.events import Action, Event
from common.domain.groups import Group
from processor.handlers.decisions import Decision, Remove, Upsert
from processor.handlers.reading import read


def group_changed(event: Event) -> Decision:
    """Raises EventUnreadable for a payload that is no group."""
    group = read(Group, event)
    return Remove(desired=group) if event.action == Action.DELETE else Upsert(desired=group)
