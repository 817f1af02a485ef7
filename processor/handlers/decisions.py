"""What a handler may decide."""

from __future__ import annotations

from dataclasses import dataclass

from common.domain.canonical import Canonical
from common.domain.entities import EntityKey


@dataclass(frozen=True, kw_only=True)
class Upsert:
    """The destination should have this, like this, once it has what it hangs on."""

    desired: Canonical
    needs: tuple[EntityKey, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Remove:
    """The destination should show this no more; `desired` is what was last seen of it."""

    desired: Canonical


@dataclass(frozen=True, kw_only=True)
class Skip:
    """Nothing is to be done; the reason is kept with the event."""

    reason: str


Decision = Upsert | Remove | Skip
