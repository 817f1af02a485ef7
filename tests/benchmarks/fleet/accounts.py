"""Customers and events by the thousand, put straight into the tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, insert, text

from common.domain.customers import LANE_OF_TIER, CustomerStatus, Tier
from common.domain.people import Person
from common.domain.resources import USERS
from common.storage.tables import customers, events

#: Rows of one statement.
BATCH = 1_000
#: A partition as the poller would give it, for the default of four.
PARTITIONS = 4
#: Ten premium customers to thirty standard and sixty basic ones.
MIX: Sequence[tuple[Tier, int]] = ((Tier.PREMIUM, 10), (Tier.STANDARD, 30), (Tier.BASIC, 60))


def names(count: int) -> list[str]:
    return [f"charity-{number:05d}" for number in range(count)]


def mixed_tier(number: int) -> Tier:
    """The tier of the customer with this number, so that any hundred in a row have the mix."""
    place = number % 100
    for tier, part in MIX:
        if place < part:
            return tier
        place -= part
    raise AssertionError("the mix is less than a hundred")


def customer_row(customer_id: str, tier: Tier, **columns: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "customer_id": customer_id,
        "name": customer_id,
        "status": CustomerStatus.ACTIVE,
        "tier": tier,
        "lane": LANE_OF_TIER[tier],
        "time_zone": "UTC",
        "region": "default",
        "source": "volunteer",
        "source_settings": {},
        "destination": "crm_plus",
        "destination_settings": {},
        "created_at": now,
        "updated_at": now,
        **columns,
    }


def add_customers(engine: Engine, rows: Iterable[Mapping[str, Any]]) -> None:
    pending = list(rows)
    with engine.begin() as connection:
        for start in range(0, len(pending), BATCH):
            connection.execute(insert(customers), pending[start : start + BATCH])


def event_row(customer_id: str, number: int) -> dict[str, Any]:
    """The first change of a person, as the poller writes it; `number` is the person's id at the source."""
    now = datetime.now(UTC)
    person = Person(first_name="Fenmar", last_name=f"Quonox {number}", email=f"p{number}@example.org")
    return {
        "customer_id": customer_id, "resource": USERS, "source_id": str(number), "version": 1,
        "partition": number % PARTITIONS, "action": "upsert", "event_version": 1, "payload": person.to_body(),
        "origin": "poll", "run_id": "bench", "trace_id": "bench", "state": "pending", "occurred_at": now,
        "detected_at": now, "retry_at": now,
    }  # fmt: skip


def add_event(engine: Engine, customer_id: str, number: int) -> None:
    with engine.begin() as connection:
        connection.execute(insert(events), event_row(customer_id, number))


#: What differs from event to event, as the server makes it of `n`.
OF_NUMBER = {
    "source_id": "n::text",
    "partition": f"n % {PARTITIONS}",
    "payload": "jsonb_build_object('first_name', 'Fenmar', 'last_name', 'Quonox ' || n, 'email', n || '@example.org')",
}


def add_flood(engine: Engine, customer_id: str, count: int, first: int = 1) -> None:
    """As `add_event`, `count` times with rising numbers; by the server alone, for speed."""
    row = event_row(customer_id, first)
    same = {name: value for name, value in row.items() if name not in OF_NUMBER}
    values = ", ".join(OF_NUMBER.get(name, f":{name}") for name in row)
    numbers = "generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n"
    statement = f"INSERT INTO events ({', '.join(row)}) SELECT {values} FROM {numbers}"
    with engine.begin() as connection:
        connection.execute(text(statement), {**same, "first": first, "last": first + count - 1})
        connection.execute(text("ANALYZE events"))
