"""A pretended source of people, groups and who is in them: a tree, for a member hangs on a person and on a group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from common.domain.groups import Group, GroupMember
from common.domain.records import Record
from common.domain.resources import GROUP_MEMBERS, GROUPS, USERS
from common.domain.sources import Page, PageQuery, ResourceTerms, Style
from support.builders import NOW, a_person

PEOPLE, CIRCLES = ("u1", "u2", "u3"), ("g1", "g2")
#: What hangs on nothing comes first.
ORDER = (USERS, GROUPS, GROUP_MEMBERS)
#: Every node that there may be: resource and source id.
NODES = (
    *((USERS, each) for each in PEOPLE),
    *((GROUPS, each) for each in CIRCLES),
    *((GROUP_MEMBERS, f"{group}:{user}") for group in CIRCLES for user in PEOPLE),
)


def parents(node: tuple[str, str]) -> list[tuple[str, str]]:
    if node[0] != GROUP_MEMBERS:
        return []
    group, user = node[1].split(":")
    return [(GROUPS, group), (USERS, user)]


def body(node: tuple[str, str], edition: int) -> Mapping[str, Any]:
    """As the node's source has it in this edition; a membership has one edition only."""
    resource, source_id = node
    if resource == USERS:
        return a_person(last_name=f"name{edition}", email=f"{source_id}@example.org").to_body()
    if resource == GROUPS:
        return Group(name=f"group {edition}").to_body()
    group, user = source_id.split(":")
    return GroupMember(group_id=group, user_id=user).to_body()


@dataclass
class Forest:
    """All nodes by resource, in pages, in the order of their ids; none has a stamp, so that only its body tells."""

    page_size: int = 2
    #: Edition by node.
    nodes: dict[tuple[str, str], int] = field(default_factory=dict)
    #: Raised, one for each request, before anything is answered; None: answer.
    errors: list[Exception | None] = field(default_factory=list)
    #: Left out of every list, and counted out; asked for by their ids they are there.
    hidden: set[tuple[str, str]] = field(default_factory=set)

    resources = ORDER
    terms: Mapping[str, ResourceTerms] = field(
        default_factory=lambda: {each: ResourceTerms(style=Style.MODIFIED, one="one") for each in ORDER}
    )

    def grow(self, node: tuple[str, str], edition: int) -> None:
        """Create or edit it; it hangs on nodes that are there."""
        for parent in parents(node):
            self.nodes.setdefault(parent, 0)
        self.nodes[node] = edition

    def fell(self, node: tuple[str, str]) -> None:
        """Delete it, and what hangs on it."""
        self.nodes.pop(node, None)
        for each in [each for each in self.nodes if node in parents(each)]:
            self.fell(each)

    def page(self, query: PageQuery) -> Page:
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error
        if query.scope:
            is_gone = (query.resource, query.scope.partition("/")[2]) not in self.nodes
            page = Page(records=(), broken=(), next_page=None, total=0 if is_gone else 1, answered_at=None)
            return replace(page, is_gone=is_gone)
        found = sorted(each for each in self.nodes.keys() - self.hidden if each[0] == query.resource)
        start = int(query.next_page or 0)
        end = start + self.page_size
        return Page(
            records=[self._record(each) for each in found[start:end]], broken=[], total=len(found), answered_at=None,
            next_page=str(end) if end < len(found) else None,
        )  # fmt: skip

    def _record(self, node: tuple[str, str]) -> Record:
        shown = body(node, self.nodes[node])
        return Record(resource=node[0], source_id=node[1], updated_at=NOW, body=shown, raw=shown)
