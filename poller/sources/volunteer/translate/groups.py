"""Groups and their members; facts: volunteer-api 1.7."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from common.domain.groups import Group, GroupMember
from common.domain.records import Record
from common.domain.resources import GROUP_MEMBERS, GROUPS
from poller.sources.volunteer.translate.fields import Fields


def group(item: Any, customer_id: str, *, answered_at: datetime) -> Record:
    fields = Fields.of(item, customer_id, GROUPS)
    found = Group(
        name=fields.required("name"),
        description=fields.text("description"),
        parent_id=fields.reference("parent_id"),
    )
    return Record(
        resource=GROUPS,
        source_id=fields.identifier("id"),
        updated_at=fields.moment_if_any("updated_at") or answered_at,
        body=found.to_body(),
        raw=item,
    )


def group_member(item: Any, customer_id: str, *, group_id: str, answered_at: datetime) -> Record:
    """The list shows users; when one joined is told nowhere, so a membership is as new as the answer."""
    fields = Fields.of(item, customer_id, GROUP_MEMBERS)
    found = GroupMember(group_id=group_id, user_id=fields.identifier("id"))
    return Record(
        resource=GROUP_MEMBERS,
        source_id=f"{found.group_id}:{found.user_id}",
        updated_at=answered_at,
        body=found.to_body(),
        raw=item,
    )
