"""A destination whose every request is watched by the customer's breaker, whichever part of a slice makes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from common.domain.destinations import Destination
from common.domain.entities import EntityKey
from common.domain.passages import Passage
from common.domain.people import Person
from common.domain.writes import Answer, Found, Write


class Guarded:
    """Implements `Destination` over another one."""

    def __init__(self, inner: Destination, passage: Passage) -> None:
        self._inner = inner
        self._passage = passage
        self.visibility_seconds = inner.visibility_seconds
        self.settle_seconds = inner.settle_seconds

    def check(self, desired: Person, entity: EntityKey) -> None:
        self._inner.check(desired, entity)

    def group_limit(self, write: Write) -> int:
        return self._inner.group_limit(write)

    def apply(self, writes: Sequence[Write]) -> Sequence[Answer]:
        return self._passage.watch(lambda: self._inner.apply(writes))

    def look(self, entities: Sequence[EntityKey], since: datetime) -> Mapping[EntityKey, Found]:
        return self._passage.watch(lambda: self._inner.look(entities, since))

    def differs(self, desired: Person, found: Found) -> bool:
        return self._inner.differs(desired, found)
