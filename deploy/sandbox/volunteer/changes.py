"""The log of every edit of everything but users, for a test to replay."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from deploy.sandbox.seals import Chain

Row = dict[str, Any]


class NoRecordError(LookupError):
    """Raised for a record that does not exist, or no longer."""


class RecordTakenError(ValueError):
    """Raised when a record of that id exists already."""


@dataclass(slots=True)
class Moment:
    """When an edit happened: wall clock and monotonic."""

    wall: float
    monotonic: float


@dataclass(slots=True)
class Changes:
    """Edits in their order; `seq` counts from 1 without a gap, `values` is the whole row after the edit."""

    entries: list[Row] = field(default_factory=list)
    chain: Chain = field(default_factory=Chain)

    def note(self, resource: str, record_id: object, kind: str, values: Row, moment: Moment) -> None:
        self.entries.append(
            {
                "seq": len(self.entries) + 1,
                "at": moment.wall,
                "at_monotonic": moment.monotonic,
                "resource": resource,
                "id": str(record_id),
                "kind": kind,
                "values": deepcopy(values),
            }
        )
        self.chain.add(self.entries[-1])

    def compare(self, resource: str, before: Mapping[str, Row], after: Mapping[str, Row], moment: Moment) -> None:
        """Notes what differs between two states of the same rows, keyed by id."""
        for record_id in before.keys() - after.keys():
            self.note(resource, record_id, "delete", {}, moment)
        for record_id, row in after.items():
            if record_id not in before:
                self.note(resource, record_id, "create", row, moment)
            elif before[record_id] != row:
                self.note(resource, record_id, "change", row, moment)
