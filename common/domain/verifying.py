"""The three-way check: what each side has of a record, and the certificate that says whether they agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from common.domain.drift import AtSource, Drift
from common.domain.entities import EntityKey
from common.domain.events import EventState
from common.domain.writes import Link

#: Begins the content hash of what could not be read.
BROKEN = "broken:"


@dataclass(frozen=True, kw_only=True)
class ReadBack:
    """A record as last read at the destination."""

    entity: EntityKey
    destination_id: str
    #: Version and mapped hash of the write that it was compared with.
    version: int
    wanted_hash: str
    #: The same hash if nothing differs, else of what is there.
    mapped_hash: str
    #: Names of what differs.
    fields: tuple[str, ...]
    read_at: datetime


@dataclass(frozen=True, kw_only=True)
class KnownRecord:
    """A record as the mirror, the ledger and the last reading have it."""

    entity: EntityKey
    version: int
    content_hash: str
    body: Mapping[str, Any]
    #: When the source says that it changed.
    updated_at: datetime
    is_gone: bool = False
    link: Link | None = None
    #: When the destination was last known to have taken something of it; None: it has no link.
    linked_at: datetime | None = None
    read: ReadBack | None = None

    @property
    def is_broken(self) -> bool:
        return self.content_hash.startswith(BROKEN)

    @property
    def read_of_link(self) -> ReadBack | None:
        """Not that of another record, which it was linked to before."""
        same = self.read is not None and self.link is not None and self.read.destination_id == self.link.destination_id
        return self.read if same else None


@dataclass(frozen=True, kw_only=True)
class LastEvent:
    """How the events of a record stand."""

    state: EventState
    is_open: bool


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """Where the next reading of a resource may begin."""

    read_from: datetime
    highest: str
    there: int


@dataclass(frozen=True, kw_only=True)
class Unlinked:
    """A record of the destination that says that it is ours, and that no link leads to."""

    destination_id: str
    #: Of the record that it says it was made for.
    source_id: str


class Outcome(StrEnum):
    """What a certificate says."""

    EQUAL = "equal"
    DIFFERS = "differs"
    #: Nothing at the destination was read: there is no list, or nothing of it goes there.
    UNCHECKED = "unchecked"
    #: It had to stop before everything was read.
    STOPPED = "stopped"


class How(StrEnum):
    """How the destination was read."""

    WHOLE = "whole"
    SINCE = "since"
    ONE_BY_ONE = "one by one"
    NOT = "not read"


@dataclass(frozen=True, kw_only=True)
class SourceView:
    """The source beside the mirror."""

    #: Records there, as the source says; None: it was not asked, or has no list of them.
    total: int | None = None
    #: In words, how it was read.
    how: str = "not asked"
    #: What was modified from then on was read; None: all, or nothing.
    since: datetime | None = None
    differing: Mapping[str, AtSource] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Differing:
    """One record that is not the same on all sides."""

    resource: str
    source_id: str
    drift: Drift
    destination_id: str = ""
    #: Names of fields at the destination; their values only where a person asked for them.
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ResourceCertificate:
    """What was found of one resource."""

    resource: str
    at: datetime
    outcome: Outcome
    how: How
    source: SourceView
    #: Live records of the mirror; those of them that the destination should hold; records of ours that it holds.
    mirrored: int = 0
    expected: int = 0
    held: int = 0
    left_root: str = ""
    right_root: str = ""
    differing: Sequence[Differing] = ()
    source_requests: int = 0
    destination_requests: int = 0
    notes: tuple[str, ...] = ()

    @property
    def by_drift(self) -> Mapping[Drift, int]:
        return Counter(each.drift for each in self.differing)


def outcome_of(certificates: Sequence[ResourceCertificate]) -> Outcome:
    """Of all: it is as good as its worst. Unchecked only if nothing was checked."""
    found = {each.outcome for each in certificates}
    for worst in (Outcome.STOPPED, Outcome.DIFFERS, Outcome.EQUAL):
        if worst in found:
            return worst
    return Outcome.UNCHECKED
