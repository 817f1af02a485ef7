"""Groups and who is in them."""

from __future__ import annotations

from dataclasses import dataclass

from common.domain.canonical import Canonical


@dataclass(frozen=True, kw_only=True)
class Group(Canonical):
    """A set of users, kept by hand at the source."""

    name: str
    description: str = ""
    parent_id: str = ""


@dataclass(frozen=True, kw_only=True)
class GroupMember(Canonical):
    """One user in one group. Source id: `<group_id>:<user_id>`."""

    group_id: str
    user_id: str
