"""A destination whose every request is watched by the customer's breaker, whichever part of a slice makes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from common.domain.destinations import Destination
from common.domain.entities import EntityKey
from common.domain.passages import Passage
from common.domain.writes import Answer, Found, Matched, NeedsReview, Preview, Write
from processor.replaying.reading import read_current, unlike


class Guarded:
    """Implements `Destination` over another one."""

    def __init__(self, inner: Destination, passage: Passage) -> None:
        self._inner = inner
        self._passage = passage
        self.visibility_seconds = inner.visibility_seconds
        self.settle_seconds = inner.settle_seconds
        self.confirmation = inner.confirmation

    def check(self, write: Write) -> None:
        self._inner.check(write)

    def group(self, write: Write) -> str:
        return self._inner.group(write)

    def group_limit(self, write: Write) -> int:
        return self._inner.group_limit(write)

    def match(self, writes: Sequence[Write]) -> Mapping[EntityKey, Matched | NeedsReview]:
        return self._passage.watch(lambda: self._inner.match(writes), proves=False)

    def apply(self, writes: Sequence[Write]) -> Sequence[Answer]:
        return self._passage.watch(lambda: self._inner.apply(writes))

    def look(self, writes: Sequence[Write], since: datetime) -> Mapping[EntityKey, Found]:
        return self._passage.watch(lambda: self._inner.look(writes, since))

    def differs(self, write: Write, found: Found) -> bool:
        return self._inner.differs(write, found)

    def missing_fields(self, resource: str, names: Sequence[str]) -> Sequence[str]:
        return self._passage.watch(lambda: self._inner.missing_fields(resource, names), proves=False)

    def find(self, resource: str, destination_id: str) -> Found | None:
        return self._passage.watch(lambda: self._inner.find(resource, destination_id))

    def read_current(self, writes: Sequence[Write]) -> Mapping[EntityKey, Found]:
        """As `processor.replaying.reading`."""
        return self._passage.watch(lambda: read_current(self._inner, writes), proves=False)

    def unlike(self, write: Write, found: Found) -> Mapping[str, Any]:
        """As `processor.replaying.reading`. No request."""
        return unlike(self._inner, write, found)

    def preview(self, write: Write) -> Sequence[Preview]:
        return self._passage.watch(lambda: self._inner.preview(write), proves=False)
