"""What waits for a person, as `fleet status` tells it: each with the command to type next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from common.domain.targets import MissingTarget
from common.storage.overview import CustomerOverview


@dataclass(frozen=True, kw_only=True)
class OpenDecisions:
    """Of one customer, as told with `--json`."""

    #: How many, by kind.
    kinds: Mapping[str, int]
    mend: str

    @property
    def line(self) -> str:
        return f"{kinds_text(self.kinds)} to be decided: {self.mend}"


@dataclass(frozen=True, kw_only=True)
class HeldDeletions:
    """Of one customer, as told with `--json`."""

    #: How many, by resource.
    resources: Mapping[str, int]
    mend: str

    @property
    def line(self) -> str:
        found = ", ".join(f"{count:,} {resource}" for resource, count in sorted(self.resources.items()))
        return f"{found} seem to be deleted at the source, which is held: {self.mend}"


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A custom field that the mapping names and the destination lacks, as told with `--json`."""

    resource: str
    field: str
    mend: str

    @property
    def line(self) -> str:
        return f"mapping.{self.resource}: {self.mend}"


def kinds_text(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))


def decisions_of(row: CustomerOverview) -> OpenDecisions | None:
    """None: nothing is open."""
    return OpenDecisions(kinds=row.reviews, mend=f"`fleet matches list {row.customer_id}`") if row.reviews else None


def held_of(row: CustomerOverview) -> HeldDeletions | None:
    """None: no deletion is held."""
    mend = f"`fleet deletions list {row.customer_id}`, then `approve` or `reject`"
    return HeldDeletions(resources=row.deletions, mend=mend) if row.deletions else None


def missing_of(row: CustomerOverview) -> Sequence[Missing]:
    return [_missing(row, target) for target in (row.targets.missing if row.targets else ())]


def _missing(row: CustomerOverview, target: MissingTarget) -> Missing:
    mend = f"{target.mend(row.destination)}, then `fleet mapping check {row.customer_id}`"
    return Missing(resource=target.resource, field=target.field, mend=mend)
