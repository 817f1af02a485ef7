"""Attempts that came to nothing: what was tried of an event, when, by whom, and what was said.

A success is the event's own end, and makes no row. Neither does what is no attempt: waiting for a time or for another
entity; a batch that was refused and is halved at once; a look-up that failed before anything was to be written, for
that is the whole slice's trouble, and stands in why its customer is parked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

#: Of each event the first so many are kept: how the trouble began ...
KEPT_FIRST = 5
#: ... and the newest so many: how it stands. What lies between is forgotten; the numbers show the gap.
KEPT_NEWEST = 20
#: Characters of a message that are kept: ours are one line, and far shorter.
MESSAGE_LENGTH = 500


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One attempt that failed or was put off. Safe to show and to log: no personal data, no token."""

    event_id: int
    at: datetime
    #: What it led to: a word of `processor.verdicts.Action`, or of the destination's answer (`postponed`, `review`).
    verdict: str
    #: Class of the error, or of the answer.
    error: str
    message: str
    trace_id: str
    #: Host and process, and the slice in it: as its log lines have them.
    worker: str = ""
    slice_id: str = ""
    #: HTTP status, if there was an answer that tells.
    status: int | None = None
    field: str = ""
    #: Whether it counts towards the number of attempts after which the event is a dead letter.
    is_counted: bool = False
    #: When the event may be tried again; None: it has ended, or waits for its customer.
    retry_at: datetime | None = None
    #: Until when the whole customer waits because of it.
    parked_until: datetime | None = None
    #: 1, 2, 3 ... per event, given when it is recorded.
    number: int = 0


class AttemptHistory(Protocol):
    """What was tried of events."""

    def attempts_of(self, customer_id: str, event_ids: Collection[int]) -> Mapping[int, Sequence[Attempt]]:
        """By event, in order of their numbers: the first KEPT_FIRST and the newest KEPT_NEWEST.

        Events without any are missing.
        """
        ...


def forgotten(number: int) -> int | None:
    """The number that is no longer kept once this one is recorded."""
    old = number - KEPT_NEWEST
    return old if old > KEPT_FIRST else None
