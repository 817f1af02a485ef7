"""The events of records that are gone at the source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from common.domain.entities import EntityKey, partition_of
from common.domain.events import EVENT_VERSION, Action, EventState
from common.storage import waiting
from common.storage.tables import events


@dataclass(frozen=True, kw_only=True)
class Cause:
    """What found them gone."""

    origin: str
    run_id: str
    trace_id: str


def put_out(
    connection: Connection, customer_id: str, rows: Sequence[Any], cause: Cause, now: datetime, *, partitions: int
) -> None:
    """One for each row of the mirror, as `removals.mark_gone` gives them."""
    if not rows:
        return
    connection.execute(insert(events), [_event(customer_id, row, cause, now, partitions) for row in rows])
    for resource in {row.resource for row in rows}:
        own = [row.source_id for row in rows if row.resource == resource]
        waiting.wake_older(connection, customer_id, resource, own, now)


def _event(customer_id: str, row: Any, cause: Cause, now: datetime, partitions: int) -> dict[str, Any]:
    """Its payload is the last that was seen."""
    key = {"customer_id": customer_id, "resource": row.resource, "source_id": row.source_id}
    return {
        **key,
        "version": row.version,
        "partition": partition_of(EntityKey(**key), partitions),
        "action": Action.DELETE,
        "event_version": EVENT_VERSION,
        "payload": row.body,
        "origin": cause.origin,
        "run_id": cause.run_id,
        "trace_id": cause.trace_id,
        "state": EventState.PENDING,
        "occurred_at": now,
        "detected_at": now,
        "retry_at": now,
    }
