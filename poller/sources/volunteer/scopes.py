"""The scopes of this source: `<kind>/<source id>`, and roots, which are a kind without an id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

TODAY = "today"
PROJECT, DATE, USER, GROUP, FORM = "project", "date", "user", "group", "form"


@dataclass(frozen=True, kw_only=True)
class Scope:
    """One part of a resource that is read by itself."""

    kind: str
    source_id: str = ""

    @classmethod
    def read(cls, text: str) -> Self:
        kind, _, source_id = text.partition("/")
        return cls(kind=kind, source_id=source_id)


def kind_of(scope: str) -> str:
    return Scope.read(scope).kind


def scope_of(kind: str, source_id: str) -> str:
    return f"{kind}/{source_id}"
