"""Rows, findings and the verdict. A finding names fields and ids, never a value: reports get copied into tickets."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self


class Kind(StrEnum):
    """What can be wrong; every one of them fails the audit."""

    MISSING = "missing"  # a source record without a contact
    WRONG = "wrong"  # a contact that differs from its record, or a write of a value the source never had
    DUPLICATE = "duplicate"  # one person, several contacts
    ORDER = "order"  # an older value after a newer one, or two writes of one entity at once
    BUDGET = "budget"  # more requests in a window than allowed
    MIXED = "mixed"  # one customer's data with another
    RECORD = "record"  # journal, history or state has a gap or was tampered with: nothing can be concluded from it


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    organization: str
    kind: Kind
    entity_id: str
    field: str
    explanation: str
    #: How many breaks it stands for, as with requests over a limit.
    weight: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One customer's line."""

    organization: str
    source: int
    destination: int
    missing: int
    wrong: int
    duplicates: int
    order_breaks: int
    over_budget: int
    mixed: int
    #: Gaps in the history.
    gaps: int
    #: Answers 429 that no injected fault explains.
    rejected: int
    #: Deleted at the source, still at the destination; for information, for deleting takes reconciliation.
    kept_after_delete: int
    #: Writes that brought nothing new: looked at before, they need not have been made.
    repeated_writes: int
    #: Submitted, not imported yet.
    held: int
    #: Source edits since the given moment.
    changes: int
    #: Those that have not arrived, of records that still exist.
    not_arrived: int
    freshness_p50_seconds: float | None
    freshness_p95_seconds: float | None
    #: Requests to both systems since the given moment, the faulted ones included.
    source_requests: int
    destination_requests: int
    #: Opportunities, sign-ups with their hours, tags and notes that must be shown.
    facts: int = 0

    @property
    def requests_per_1000_changes(self) -> float | None:
        """Of the destination."""
        return 1000 * self.destination_requests / self.changes if self.changes else None

    @property
    def passed(self) -> bool:
        return not any(
            (self.missing, self.wrong, self.duplicates, self.order_breaks, self.over_budget, self.mixed, self.gaps)
        )

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "requests_per_1000_changes": self.requests_per_1000_changes, "passed": self.passed}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The audit of all customers."""

    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]
    #: Unix seconds from which freshness and requests were counted; None: from the beginning.
    since: float | None
    #: Over all customers.
    freshness_p50_seconds: float | None
    freshness_p95_seconds: float | None

    @classmethod
    def of_nothing(cls) -> Self:
        """Of evidence that cannot be judged."""
        return cls(rows=(), findings=(), since=None, freshness_p50_seconds=None, freshness_p95_seconds=None)

    @property
    def passed(self) -> bool:
        """Also false for a finding that belongs to no row, and for an audit of nothing."""
        return bool(self.rows) and not self.findings and all(row.passed for row in self.rows)

    @property
    def verdict(self) -> str:
        return "PASS" if self.passed else "FAIL"

    def total(self, column: str) -> int:
        return sum(int(getattr(row, column)) for row in self.rows)

    def to_json(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict,
            "since": self.since,
            "freshness_p50_seconds": self.freshness_p50_seconds,
            "freshness_p95_seconds": self.freshness_p95_seconds,
            "customers": [row.to_json() for row in self.rows],
            "findings": [asdict(finding) for finding in self.findings],
        }
