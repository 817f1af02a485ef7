"""Whose an e-mail address is. Links hang on source ids, never on an address: it only warns of a second person."""

from __future__ import annotations

from dataclasses import dataclass

from common.domain.entities import EntityKey


@dataclass(frozen=True, kw_only=True)
class EmailUse:
    """An entity has this address at the destination from now on; an empty one: none any more."""

    entity: EntityKey
    email: str
