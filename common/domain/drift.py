"""Drift: why a record is not the same on all sides, decided from what is known of it. Pure.

The first line that fits decides:

| what is known                                                        | drift                      | repair           |
|----------------------------------------------------------------------|----------------------------|------------------|
| an event of it is open                                               | not_yet_applied            | nothing: it comes|
| the source shows it, the mirror does not                             | missing_from_mirror        | a reconcile      |
| the source shows it otherwise, or no more                            | stale_mirror               | a reconcile      |
| its last event is a dead letter, or was discarded by a person        | refused                    | a person's       |
| written so lately that the destination need not show it yet          | not_yet_applied            | nothing: it comes|
| it changed, and was not looked at since                              | changing                   | verify once more |
| gone at the source, and still shown at the destination               | extra                      | a removal        |
| no link, or the destination has no record of that id                 | lost                       | an event         |
| its last applied version is an older one                             | lost                       | an event         |
| ours was applied as it is to be, and something else is there now     | changed_at_destination     | an event         |
| anything else                                                        | unexplained                | an event         |

Beside these there are records of the destination that say that they are ours, and that no link leads to: a double, or
one whose link was lost. They are `unlinked_at_destination`, and for a person to see to: which of two is to stay, only
staff can say.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from common.domain.events import EventState


class Drift(StrEnum):
    """Why one record differs."""

    NOT_YET_APPLIED = "not_yet_applied"
    MISSING_FROM_MIRROR = "missing_from_mirror"
    STALE_MIRROR = "stale_mirror"
    REFUSED = "refused"
    CHANGING = "changing"
    EXTRA = "extra"
    LOST = "lost"
    CHANGED_AT_DESTINATION = "changed_at_destination"
    UNEXPLAINED = "unexplained"
    UNLINKED_AT_DESTINATION = "unlinked_at_destination"


class Repair(StrEnum):
    """Which part of the path mends it; nothing is ever written from here."""

    NONE = "none"
    #: The mirror's state goes into the outbox once more.
    EVENT = "event"
    #: The source is read again.
    RECONCILE = "reconcile"


REPAIRS = {
    Drift.NOT_YET_APPLIED: Repair.NONE,
    Drift.MISSING_FROM_MIRROR: Repair.RECONCILE,
    Drift.STALE_MIRROR: Repair.RECONCILE,
    Drift.REFUSED: Repair.NONE,
    Drift.CHANGING: Repair.NONE,
    Drift.EXTRA: Repair.EVENT,
    Drift.LOST: Repair.EVENT,
    Drift.CHANGED_AT_DESTINATION: Repair.EVENT,
    Drift.UNEXPLAINED: Repair.EVENT,
    Drift.UNLINKED_AT_DESTINATION: Repair.NONE,
}


class AtSource(StrEnum):
    """How the source shows a record, compared with the mirror."""

    SAME = "same"  # also: was not asked
    NEW = "new"
    OTHER = "other"
    GONE = "gone"


class AtDestination(StrEnum):
    """How the destination shows a record, compared with what it should hold."""

    SAME = "same"
    OTHER = "other"
    ABSENT = "absent"
    UNREAD = "unread"  # what it should hold has changed since it was read


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What is known of one record."""

    source: AtSource = AtSource.SAME
    destination: AtDestination = AtDestination.SAME
    is_open: bool = False
    #: Of its newest event; None: it never had one.
    last_state: EventState | None = None
    #: The mirror has it as gone.
    is_gone: bool = False
    is_linked: bool = True
    version: int = 1
    applied_version: int = 0
    #: What was last applied is what it should hold now.
    is_applied_as_mapped: bool = False
    #: Our last write is so late that the destination need not show it yet.
    is_settling: bool = False


#: Ends that wait for a person: an event more would end the same way.
LEFT_TO_A_PERSON = (EventState.DEAD_LETTERED, EventState.DISCARDED)
OF_SOURCE = {
    AtSource.NEW: Drift.MISSING_FROM_MIRROR,
    AtSource.OTHER: Drift.STALE_MIRROR,
    AtSource.GONE: Drift.STALE_MIRROR,
}


def drift_of(standing: Standing) -> Drift | None:
    """None: it is the same everywhere."""
    if standing.source is AtSource.SAME and standing.destination is AtDestination.SAME:
        return None
    if standing.is_open:
        return Drift.NOT_YET_APPLIED
    if standing.source is not AtSource.SAME:
        return OF_SOURCE[standing.source]
    if standing.last_state in LEFT_TO_A_PERSON:
        return Drift.REFUSED
    if standing.is_settling:
        return Drift.NOT_YET_APPLIED
    return _at_destination(standing)


def _at_destination(standing: Standing) -> Drift:
    if standing.destination is AtDestination.UNREAD:
        return Drift.CHANGING
    if standing.is_gone:
        return Drift.EXTRA
    if not standing.is_linked or standing.destination is AtDestination.ABSENT:
        return Drift.LOST
    if standing.applied_version < standing.version:
        return Drift.LOST
    if standing.applied_version == standing.version and standing.is_applied_as_mapped:
        return Drift.CHANGED_AT_DESTINATION
    return Drift.UNEXPLAINED
