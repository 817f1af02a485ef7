"""What a resource becomes at CRM+: one module each, with the part of `Destination` that concerns its writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from common.domain.entities import EntityKey
from common.domain.writes import Answer, Found, Matched, NeedsReview, Preview, Write


class Shape(Protocol):
    """As `common.domain.destinations.Destination`, for writes of its own resources."""

    def check(self, write: Write) -> None: ...

    def group(self, write: Write) -> str: ...

    def group_limit(self, write: Write) -> int: ...

    def match(self, writes: Sequence[Write]) -> Mapping[EntityKey, Matched | NeedsReview]: ...

    def apply(self, writes: Sequence[Write]) -> Sequence[Answer]: ...

    def look(self, writes: Sequence[Write], since: datetime) -> Mapping[EntityKey, Found]: ...

    def differs(self, write: Write, found: Found) -> bool: ...

    def preview(self, write: Write) -> Sequence[Preview]: ...
