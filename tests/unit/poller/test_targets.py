"""When a customer's mapping is looked at: once a day, at a moment of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from common.storage.attention import Mapped
from poller.targets import due

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTES = 24 * 60


def moments(customer_id: str, looked_at: datetime) -> list[datetime]:
    """Minute by minute over two days, when it is looked at, the finding kept at once."""
    found = []
    for minute in range(2 * MINUTES):
        now = NOON + timedelta(minutes=minute)
        if due([Mapped(customer_id=customer_id, lane="standard", looked_at=looked_at)], now):
            found.append(now)
            looked_at = now
    return found


def test_each_customer_is_looked_at_once_a_day_and_at_the_same_time_of_day():
    for number in range(20):
        first, second = moments(f"c{number}", looked_at=NOON)

        assert second - first == timedelta(days=1)


def test_customers_are_spread_over_the_day():
    hours = {moments(f"c{number}", looked_at=NOON)[0].hour for number in range(200)}

    assert len(hours) == 24


def test_who_was_never_looked_at_does_not_wait_for_its_turn():
    assert len(due([Mapped(customer_id=f"c{n}", lane="basic", looked_at=None) for n in range(5)], NOON)) == 5
