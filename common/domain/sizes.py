"""How large a customer is, as its mirror tells: what a connector plans and estimates from."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Protocol


class Sizes(Protocol):
    """What the mirror has. Deleted records, and those that could not be read, are left out."""

    def counts(self, customer_id: str) -> Mapping[str, int]:
        """Records by resource; a resource without any is missing."""
        ...

    def bodies(self, customer_id: str, resource: str) -> Iterator[Mapping[str, Any]]:
        """Every canonical body, in order of the source ids, a step at a time: a hundred thousand never sit in memory.

        Not one moment's picture: what changes meanwhile is seen as it was or as it is.
        """
        ...

    def listed(self, customer_id: str) -> Collection[str]:
        """Resources that a run has read to the end at least once: of the others, the mirror has only a part."""
        ...
