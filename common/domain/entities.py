"""Entities: what a record describes, the unit of order; and partitions: the unit of ownership."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, order=True)
class EntityKey:
    """(customer, resource, source id). Links and order hang on it; never on an e-mail address."""

    customer_id: str
    resource: str
    source_id: str

    def __str__(self) -> str:
        return f"{self.customer_id}/{self.resource}/{self.source_id}"


def partition_of(entity: EntityKey, partitions: int) -> int:
    """The partition (0-based) an entity's events always go to. The same on every machine and in every release."""
    digest = hashlib.blake2b(f"{entity.resource}\x1f{entity.source_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % partitions
