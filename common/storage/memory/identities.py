"""The twin of `common.storage.emails` and of what `common.storage.reviews` does in a slice."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from common.domain.entities import EntityKey
from common.domain.errors import LockLost
from common.domain.identities import EmailUse
from common.domain.writes import Intent, SliceOutcome
from common.storage.memory.tables import ReviewRow, Rows


def owners_of(rows: Rows, customer_id: str, addresses: Sequence[str]) -> Mapping[str, EntityKey]:
    """Whose each address is now."""
    return {
        email: entity
        for (email, entity), left_at in rows.emails.items()
        if left_at is None and entity.customer_id == customer_id and email in addresses
    }


def claim(rows: Rows, intents: Sequence[Intent]) -> None:
    """Raises LockLost if an address is somebody else's by now."""
    for intent in intents:
        if not intent.email:
            continue
        owner = owners_of(rows, intent.entity.customer_id, [intent.email]).get(intent.email)
        if owner not in (None, intent.entity):
            raise LockLost("another worker is creating somebody with the same e-mail address")
        rows.emails[intent.email, intent.entity] = None


def record(rows: Rows, outcome: SliceOutcome, now: datetime) -> None:
    """Addresses, what waits for a decision, and what does no more."""
    for link in outcome.links:
        settle(rows, link.entity)
    for review in outcome.reviews:
        rows.reviews[review.entity] = ReviewRow(review=review)
    for each in outcome.emails:
        _use(rows, each, now)


def settle(rows: Rows, entity: EntityKey) -> None:
    """It asks nothing of anybody any more."""
    row = rows.reviews.get(entity)
    if row is not None and row.state == "open":
        rows.reviews[entity] = replace(row, state="settled")


def _use(rows: Rows, each: EmailUse, now: datetime) -> None:
    for (email, entity), left_at in list(rows.emails.items()):
        if entity == each.entity and left_at is None and email != each.email:
            rows.emails[email, entity] = now
    if each.email and not owners_of(rows, each.entity.customer_id, [each.email]):
        rows.emails[each.email, each.entity] = None


def cleared(rows: Rows, entities: Sequence[EntityKey]) -> Collection[EntityKey]:
    """Those that a person has decided to create."""
    found = {entity: rows.reviews.get(entity) for entity in entities}
    return {e for e, row in found.items() if row and (row.state, row.decision) == ("decided", "create")}
