"""Dead letters as operators handle them: found, counted, closed, and put back to work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol


class LetterState(StrEnum):
    """How a letter stands."""

    OPEN = "open"  # waits for a person
    REPLAYED = "replayed"  # its event went to work again
    DISCARDED = "discarded"  # a person decided against it
    SUPERSEDED = "superseded"  # a newer version has come through


class Stage(StrEnum):
    """Where it failed."""

    DETECT = "detect"  # the source's item was unreadable
    APPLY = "apply"


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """One letter, without its payload."""

    customer_id: str
    dead_letter_id: int
    event_id: int
    resource: str
    source_id: str
    stage: str
    reason: str
    field: str
    message: str
    status: int | None
    #: What the other system said; may be personal.
    detail: str
    attempts: int
    run_id: str
    trace_id: str
    state: str
    resolution: str
    created_at: datetime
    resolved_at: datetime | None
    #: The batch that replayed it before, and after which it failed again; empty: none.
    batch: str = ""


@dataclass(frozen=True, kw_only=True)
class LetterFilter:
    """Which letters; what is None or empty does not matter."""

    customer_id: str | None = None
    numbers: tuple[int, ...] = ()
    reason: str | None = None
    resource: str | None = None
    #: Created then or later.
    since: datetime | None = None
    state: LetterState | None = LetterState.OPEN


@dataclass(frozen=True, kw_only=True)
class LetterGroup:
    """Letters that are alike."""

    customer_id: str
    reason: str
    resource: str
    field: str
    count: int
    oldest: datetime
    newest: datetime


def payload_of(raw: Any) -> Mapping[str, Any]:
    """An unreadable item as fields, for it need not even be an object, and names of fields are shown unmasked."""
    if raw is None:
        return {}
    return raw if isinstance(raw, Mapping) else {"item": raw}


class Letters(Protocol):
    """The dead-letter queue. Every method is one transaction."""

    def find(self, which: LetterFilter, *, limit: int) -> Sequence[DeadLetter]:
        """The oldest first."""
        ...

    def groups(self, which: LetterFilter) -> Sequence[LetterGroup]:
        """The largest first, within a customer."""
        ...

    def show(self, customer_id: str, dead_letter_id: int) -> tuple[DeadLetter, Mapping[str, Any]] | None:
        """The letter and its event's payload (personal data), or None."""
        ...

    def discard(
        self, customer_id: str, numbers: Sequence[int], *, why: str, actor: str, now: datetime
    ) -> Sequence[int]:
        """Close those of them that are open for good, with a line in the history for each. Returns which.

        One that somebody else is closing just now is passed over, and not waited for.
        """
        ...
