"""Values that are not shown: their kind, their length, and a mark by which equal ones are told from others.

The mark is a keyed hash whose key lives as long as one command: within its output equal values look equal, and neither
a list of names nor yesterday's output tells what one was.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Bytes of the mark: of a record's hundred values two unequal ones share theirs once in a million outputs.
MARK_BYTES = 4


@dataclass(frozen=True, kw_only=True)
class Mask:
    """Bound to one output's key."""

    key: bytes
    #: A person has asked for the values themselves.
    shows: bool = False

    def of(self, value: Any) -> str:
        """`text(3) #9f86d081`; what is empty is said to be, for that is what is mended most."""
        if self.shows:
            return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
        if value is None or value in ("", [], {}):
            return "empty"
        text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
        mark = hashlib.blake2b(text.encode(), key=self.key, digest_size=MARK_BYTES).hexdigest()
        size = f"({len(value)})" if isinstance(value, str | list | tuple | Mapping) else ""
        return f"{_kind(value)}{size} #{mark}"

    def fields(self, body: Mapping[str, Any]) -> dict[str, str]:
        """By name."""
        return {str(name): self.of(value) for name, value in body.items()}


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "yes/no"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "text"
    return "fields" if isinstance(value, Mapping) else "list"
