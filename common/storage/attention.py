"""What waits for a person, of all customers at once: decisions, and targets of mappings that are not there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from common.domain.customers import System
from common.domain.targets import MAPPING_TARGETS, MissingTarget, kept
from common.storage.breakers import is_blocked
from common.storage.identity_tables import reference_cache, reviews
from common.storage.tables import customers


@dataclass(frozen=True, kw_only=True)
class TargetsFound:
    """The last look at the targets of a customer's mapping."""

    missing: Sequence[MissingTarget]
    looked_at: datetime


@dataclass(frozen=True, kw_only=True)
class Mapped:
    """A customer whose mapping's targets may be looked at now."""

    customer_id: str
    lane: str
    #: None: never yet, or not since its mapping was changed.
    looked_at: datetime | None


def read_reviews(connection: Connection) -> Mapping[str, Mapping[str, int]]:
    """By customer and kind: how many are open."""
    query = (
        select(reviews.c.customer_id, reviews.c.kind, func.count().label("count"))
        .where(reviews.c.state == "open")
        .group_by(reviews.c.customer_id, reviews.c.kind)
    )
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for row in connection.execute(query):
        found[row.customer_id][row.kind] = int(row[2])
    return found


def read_targets(connection: Connection) -> Mapping[str, TargetsFound]:
    """By customer: what was missing when its mapping's targets were last looked at."""
    query = select(reference_cache).where(reference_cache.c.name == MAPPING_TARGETS)
    return {
        row.customer_id: TargetsFound(missing=kept(row.value), looked_at=row.fetched_at)
        for row in connection.execute(query)
    }


def read_mapped(connection: Connection, may_work: Sequence[Any]) -> Sequence[Mapped]:
    """Customers that `may_work`, have a mapping, and a destination that accepts their token; who was looked at least
    lately comes first.
    """
    own = (reference_cache.c.customer_id == customers.c.customer_id) & (reference_cache.c.name == MAPPING_TARGETS)
    query = (
        select(customers.c.customer_id, customers.c.lane, reference_cache.c.fetched_at.label("looked_at"))
        .outerjoin(reference_cache, own)
        .where(customers.c.mapping != {}, *may_work, ~is_blocked(System.DESTINATION))
        .order_by(reference_cache.c.fetched_at.nulls_first(), customers.c.customer_id)
    )
    return [Mapped(**row) for row in connection.execute(query).mappings()]
