"""Naming what a record hangs on."""

from __future__ import annotations

from common.domain.entities import EntityKey


def beside(entity: EntityKey, resource: str, source_id: str) -> EntityKey:
    """Another entity of the same customer."""
    return EntityKey(customer_id=entity.customer_id, resource=resource, source_id=source_id)
