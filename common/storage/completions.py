"""The line of a customer's history which says that everything was read once: polls take over.

It is written in the transaction that ends the last of the first readings, so that no kill comes between them.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from common.domain.completions import ACTION, ACTOR, told_of
from common.domain.layers import Layer
from common.storage.tables import audit, checkpoints, customers


def note_if_last(
    connection: Connection, customer_id: str, resource: str, backfilled: Collection[str], now: datetime
) -> None:
    """Unless one of `backfilled` has no checkpoint yet; nothing if it is empty."""
    if not backfilled:
        return
    # Of two that end at once, the second has to see what the first has done.
    own = select(customers.c.customer_id).filter_by(customer_id=customer_id)
    connection.execute(own.with_for_update(key_share=True))
    listed = select(checkpoints.c.resource).filter_by(customer_id=customer_id, layer=Layer.POLL)
    there = connection.execute(listed.where(checkpoints.c.position.is_not(None))).scalars()
    if set(backfilled) <= set(there):
        line = {"customer_id": customer_id, "at": now, "actor": ACTOR, "action": ACTION, "detail": told_of(resource)}
        connection.execute(insert(audit).values(line))
