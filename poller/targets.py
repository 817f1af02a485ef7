"""Once a day and customer: have a processor look whether the targets of the mapping are still there.

A customer's moment lies where a hash of its id puts it, so that a fleet asks all day long and not at midnight.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from common.domain.customers import Lane
from common.queueing.asked import Asked
from common.queueing.deliveries import Deliveries
from common.queueing.names import CHECK_MAPPING
from common.storage.attention import Mapped
from poller.schedule.phase import next_turn, phase_seconds

DAY_SECONDS = 86_400.0
#: Names the job to the hash.
JOB = "mapping targets"
#: How often it is seen who is due: often enough for a day's turn, and not with every sweep.
LOOK_SECONDS = 60.0
#: A customer that was asked for is asked for again after this, if nothing was found: its destination was away.
AGAIN_SECONDS = 600.0
#: Most in one look: after an outage, or on the day this is first installed, all customers are due at once.
MOST_AT_ONCE = 50


def ask_for_checks(
    mapped: Callable[[datetime], Sequence[Mapped]], deliveries: Deliveries, asked: Asked, now: datetime
) -> int:
    """Publish a look for each customer whose turn has come, if nobody has just done so; returns how many."""
    if not asked.fresh([JOB], seconds=LOOK_SECONDS):
        return 0
    count = 0
    for each in due(mapped(now), now):
        if count == MOST_AT_ONCE:
            break
        if asked.fresh([f"{JOB}/{each.customer_id}"], seconds=AGAIN_SECONDS):
            deliveries.publish(each.customer_id, Lane(each.lane), by="mapping", task=CHECK_MAPPING)
            count += 1
    return count


def due(customers: Sequence[Mapped], now: datetime) -> list[Mapped]:
    """Those that were not looked at since their last turn; who never was need not wait for it."""
    return [each for each in customers if each.looked_at is None or each.looked_at.timestamp() < _last_turn(each, now)]


def _last_turn(customer: Mapped, now: datetime) -> float:
    phase = phase_seconds(customer.customer_id, JOB, DAY_SECONDS)
    return next_turn(now.timestamp() - DAY_SECONDS, DAY_SECONDS, phase)
