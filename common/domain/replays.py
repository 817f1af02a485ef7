"""What a replay of a dead letter would come to, decided from what is known of it now. Pure.

The first line that fits decides:

| what is known                                                             | class             | in the batch        |
|---------------------------------------------------------------------------|-------------------|---------------------|
| a newer event of the record, or a newer version was applied               | superseded        | yes: it ends so     |
| the source has it no more, and the letter is no removal                   | gone              | no                  |
| it was unreadable: the source is asked anew                               | read_again        | yes                 |
| the source shows it otherwise than the mirror: the next poll brings that  | changed_at_source | no                  |
| handler, mapping or check would refuse it once more                       | fails_again       | no                  |
| the destination was not looked at                                         | not_looked_up     | yes: decided then   |
| what it would change there, somebody else has changed since we last wrote | conflict          | with `--overwrite`  |
| nothing there would change                                                | already_there     | yes: no write       |
| anything else                                                             | apply             | yes                 |

Whatever it says, the slice that applies the letter decides again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from common.domain.drift import AtSource
from common.domain.events import Event
from common.domain.letters import DeadLetter, Stage
from common.domain.writes import Link


class ReplayClass(StrEnum):
    """What a replay would come to."""

    APPLY = "apply"
    ALREADY_THERE = "already_there"
    SUPERSEDED = "superseded"
    CONFLICT = "conflict"
    GONE = "gone"
    CHANGED_AT_SOURCE = "changed_at_source"
    FAILS_AGAIN = "fails_again"
    READ_AGAIN = "read_again"
    NOT_LOOKED_UP = "not_looked_up"


#: Left out of a batch.
LEFT_OUT = frozenset({ReplayClass.GONE, ReplayClass.CHANGED_AT_SOURCE, ReplayClass.FAILS_AGAIN})


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What we have of a letter's record."""

    letter: DeadLetter
    event: Event
    link: Link | None
    #: Version of the entity's newest event that a person has not decided against.
    newest_version: int
    #: The mirror's, empty if it has none; and whether the source has it no more.
    mirror_body: Mapping[str, Any] = field(default_factory=dict)
    mirror_hash: str = ""
    is_gone: bool = False


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What was seen of it just now."""

    #: The source, compared with the mirror; None: it was not asked.
    source: AtSource | None = None
    #: Why it would be refused before anything is sent; empty: it would not.
    refusal: str = ""
    #: Fields that would be written, and those of them that somebody else has changed; None: was not looked at.
    wanted: Mapping[str, Any] | None = None
    disputed: Mapping[str, Any] = field(default_factory=dict)


def class_of(facts: Facts, sight: Sight) -> ReplayClass:
    """As the table above says."""
    applied = facts.link.applied_version if facts.link else 0
    if facts.event.coalesce and max(facts.newest_version, applied) > facts.event.version:
        return ReplayClass.SUPERSEDED
    is_gone = facts.is_gone if sight.source is None else sight.source is AtSource.GONE
    if is_gone and facts.event.action != "delete":
        return ReplayClass.GONE
    if facts.letter.stage == Stage.DETECT:
        return ReplayClass.READ_AGAIN
    if sight.source is AtSource.OTHER:
        return ReplayClass.CHANGED_AT_SOURCE
    return _at_destination(sight)


def _at_destination(sight: Sight) -> ReplayClass:
    if sight.refusal:
        return ReplayClass.FAILS_AGAIN
    if sight.wanted is None:
        return ReplayClass.NOT_LOOKED_UP
    if sight.disputed:
        return ReplayClass.CONFLICT
    return ReplayClass.APPLY if sight.wanted else ReplayClass.ALREADY_THERE


def goes_in(found: ReplayClass, *, overwrites: bool) -> bool:
    """Whether a batch takes it."""
    return found not in LEFT_OUT and (overwrites or found is not ReplayClass.CONFLICT)
