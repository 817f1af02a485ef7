"""What makes tampering show: chains over what is only ever added to, and a digest of each record as it was last left.

The auditor computes the same from what it is given, by a function of its own. Nothing here is secret: who forges a
journal, the state and all seals alike, consistently, is not found out.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Row = Mapping[str, Any]
#: Characters of a digest: 128 bits, more than chance or diligence can match.
DIGEST_CHARACTERS = 32


def digest(content: object, before: str = "") -> str:
    """Of JSON in its canonical spelling, after the digest `before`."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{before}{text}".encode()).hexdigest()[:DIGEST_CHARACTERS]


@dataclass(slots=True)
class Chain:
    """A seal over rows in the order in which they were added: each digest holds all before it."""

    count: int = 0
    seal: str = ""

    def add(self, row: object) -> str:
        self.count, self.seal = self.count + 1, digest(row, self.seal)
        return self.seal

    def as_json(self) -> dict[str, Any]:
        return {"count": self.count, "seal": self.seal}


@dataclass(slots=True)
class Proofs:
    """By `<kind>/<id>`: the digest of a record when it was last touched (None: removed), and by which journal entry.

    `by` is 0 for what was seeded and for what staff did, which is in no entry.
    """

    rows: dict[str, tuple[str | None, int]] = field(default_factory=dict)

    def note(self, key: str, row: object | None, by: int) -> str | None:
        found = None if row is None else digest(row)
        self.rows[key] = (found, by)
        return found

    def renew(self, records: Iterable[tuple[str, Row]]) -> None:
        """After staff were at work: whatever differs now is theirs."""
        found = {key: digest(row) for key, row in records}
        for key in found.keys() | self.rows.keys():
            if self.rows.get(key, (None, 0))[0] != found.get(key):
                self.rows[key] = (found.get(key), 0)

    def as_json(self) -> dict[str, Any]:
        return {key: {"digest": found, "by": by} for key, (found, by) in self.rows.items()}
