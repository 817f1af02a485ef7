"""What a changed membership means: the person should carry the group's tag."""

from __future__ import annotations

from common.domain.events import Action, Event
from common.domain.groups import GroupMember
from common.domain.resources import GROUPS, USERS
from processor.handlers.decisions import Decision, Remove, Upsert
from processor.handlers.needs import beside
from processor.handlers.reading import read


def group_member_changed(event: Event) -> Decision:
    """Raises EventUnreadable for a payload that is no membership."""
    member = read(GroupMember, event)
    if event.action == Action.DELETE:
        return Remove(desired=member)
    person, group = beside(event.entity, USERS, member.user_id), beside(event.entity, GROUPS, member.group_id)
    return Upsert(desired=member, needs=(person, group))
