"""Small builders of domain values: every field has a plain default, and a test names only what it is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from common.domain.attempts import Attempt
from common.domain.checkpoints import Progress
from common.domain.customers import Customer, Lane, Tier
from common.domain.entities import EntityKey
from common.domain.events import EVENT_VERSION, Action, Event, EventState, Origin
from common.domain.people import Person
from common.domain.records import BrokenRecord, Record
from common.domain.resources import USERS
from common.domain.stores import PageToSave
from common.domain.writes import Intent, Link, Operation, WriteState

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def a_customer(customer_id: str = "acme", **changes: Any) -> Customer:
    base = {"name": customer_id.title(), "tier": Tier.PREMIUM, "lane": Lane.PRIORITY}
    return Customer(customer_id=customer_id, **{**base, **changes})


def an_entity(source_id: str = "1", *, customer_id: str = "acme", resource: str = USERS) -> EntityKey:
    return EntityKey(customer_id=customer_id, resource=resource, source_id=source_id)


def a_person(**changes: Any) -> Person:
    return Person(**{"first_name": "Fenmar", "last_name": "Quonox", "email": "f@example.org", **changes})


def a_record(source_id: str = "1", *, at: datetime = NOW, **changes: Any) -> Record:
    """Everybody has an address of their own, unless the test says otherwise."""
    body = a_person(**{"email": f"f{source_id}@example.org", **changes}).to_body()
    return Record(resource=USERS, source_id=source_id, updated_at=at, body=body, raw={"id": source_id, **body})


def a_broken_record(source_id: str = "b1", *, raw: Any = None) -> BrokenRecord:
    return BrokenRecord(
        resource=USERS, source_id=source_id, reason="record_invalid", field="last_name", message="is missing",
        raw={"id": source_id} if raw is None else raw,
    )  # fmt: skip


def an_event(event_id: int = 1, **changes: Any) -> Event:
    base = {
        "entity": an_entity(), "partition": 0, "action": Action.UPSERT, "version": event_id,
        "event_version": EVENT_VERSION, "payload": a_person().to_body(), "origin": Origin.POLL, "run_id": "run",
        "trace_id": "trace", "state": EventState.PENDING, "attempts": 0, "detected_at": NOW, "occurred_at": NOW,
    }  # fmt: skip
    return Event(event_id=event_id, **{**base, **changes})


def an_intent(write_id: str = "w1", **changes: Any) -> Intent:
    base = {
        "entity": an_entity(), "event_id": 1, "version": 1, "operation": Operation.CREATE, "mapped_hash": "hash",
        "state": WriteState.OPEN, "started_at": NOW, "settles_at": after(60),
    }  # fmt: skip
    return Intent(write_id=write_id, **{**base, **changes})


def an_attempt(event_id: int = 1, **changes: Any) -> Attempt:
    base = {
        "at": NOW, "verdict": "retry", "error": "SystemUnavailable", "message": "the destination answered 503",
        "trace_id": "trace", "worker": "host:1", "slice_id": "s1", "status": 503, "retry_at": after(1),
    }  # fmt: skip
    return Attempt(event_id=event_id, **{**base, **changes})


def a_link(entity: EntityKey | None = None, **changes: Any) -> Link:
    base = {"destination_id": "d1", "details": {"individual_id": "i1"}, "applied_version": 1, "applied_hash": "hash"}
    return Link(entity=entity or an_entity(), **{**base, **changes})


def a_page(progress: Progress, *records: Record, broken: tuple[BrokenRecord, ...] = (), **changes: Any) -> PageToSave:
    base = {
        "customer_id": "acme", "resource": USERS, "run_id": progress.run_id, "scan_id": progress.scan_id,
        "origin": progress.origin, "trace_id": progress.trace_id, "requests": 1, "now": NOW,
    }  # fmt: skip
    return PageToSave(records=records, broken=broken, **{**base, **changes})
