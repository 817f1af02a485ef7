"""Targets: the custom fields that a mapping writes to, and which of them a customer's destination lacks.

Somebody may remove a field at any time, and from then on each record that fills it is refused. So what is missing is
looked for at onboarding, at each change of the mapping and once a day, and kept until the next look.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from common.domain.destinations import Destination
from common.domain.mapping import FieldMapping
from common.domain.references import ReferenceCache

#: The finding's name in the reference cache: a list of targets, empty if all are there, with the time of the look.
MAPPING_TARGETS = "mapping_targets"


@dataclass(frozen=True, kw_only=True)
class MissingTarget:
    """A custom field that records of a resource are to fill, and that is not there."""

    resource: str
    field: str

    def mend(self, destination: str) -> str:
        return f"{destination} has no custom field {self.field!r}; create it there, or correct `to`"

    def told(self, customer_id: str, destination: str) -> str:
        """A line for a person."""
        return f"customer {customer_id!r}: mapping.{self.resource}: {self.mend(destination)}"


def missing_targets(destination: Destination, mapping: FieldMapping) -> Sequence[MissingTarget]:
    """Asks the destination if the mapping names any custom field; else no request. Raises SyncError."""
    return [
        MissingTarget(resource=resource, field=name)
        for resource in mapping.resources
        if (names := mapping.custom_fields(resource))
        for name in destination.missing_fields(resource, names)
    ]


def keep(references: ReferenceCache, customer_id: str, found: Sequence[MissingTarget], looked_at: datetime) -> None:
    """`looked_at`: before the question was sent, so that of two looks the one at the newer mapping stays."""
    references.put(customer_id, MAPPING_TARGETS, [asdict(each) for each in found], looked_at)


def kept(value: Sequence[Mapping[str, Any]]) -> Sequence[MissingTarget]:
    """From the reference cache."""
    return [MissingTarget(resource=row["resource"], field=row["field"]) for row in value]
