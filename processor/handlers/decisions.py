"""What a handler may decide."""

from __future__ import annotations

from dataclasses import dataclass

from common.domain.people import Person


@dataclass(frozen=True, kw_only=True)
class Upsert:
    """The destination should have this person, like this."""

    desired: Person


@dataclass(frozen=True, kw_only=True)
class Skip:
    """Nothing is to be done; the reason is kept with the event."""

    reason: str


Decision = Upsert | Skip
