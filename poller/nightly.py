"""What a message means for a nightly customer: its night wants a step, or its runs want to go on.

Nothing else reads for it: a poll that is asked for by hand waits for the night, which reads everything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from common.domain.customers import Customer, Mode
from common.domain.errors import CustomerInvalid
from common.domain.layers import Layer
from common.domain.nights import DueNight, Phase
from common.queueing.asked import Asked
from common.queueing.deliveries import Deliveries
from common.queueing.names import PROBE
from common.queueing.polls import Polls
from poller.nights import NightParts, advance
from poller.schedule.turns import Timetable

#: A message for a night is sent again if nobody took it within this time.
EXPIRES_SECONDS = 10.0
#: Layers that are a nightly customer's night, whoever asks.
OF_THE_NIGHT = frozenset({Layer.POLL, Layer.NIGHTLY})


def is_of_the_night(customer: Customer, layer: Layer) -> bool:
    """Whether a message is served by `serve`: also for one that was nightly, whose night is still to be closed."""
    return layer is Layer.NIGHTLY or (customer.mode is Mode.NIGHTLY and layer in OF_THE_NIGHT)


def serve(parts: NightParts, customer: Customer, read: Callable[[], None]) -> None:
    """Advance the night; `read` makes or continues its runs, while it is at that."""
    night = advance(parts, customer.customer_id)
    now = parts.clock.now()
    if night is None or night.phase is not Phase.READ or night.deadline_at is None or night.deadline_at <= now:
        return
    if customer.is_active:
        read()
        advance(parts, customer.customer_id, at_once=True)


def ask_for_nights(due: Sequence[DueNight], polls: Polls, asked: Asked) -> int:
    """One message for each that wants a step, and no other while that may still be taken."""
    names = {f"night/{each.customer_id}/{each.next_step_at.timestamp():f}": each for each in due}
    fresh = asked.fresh(names, seconds=EXPIRES_SECONDS)
    for name in fresh:
        night = names[name]
        polls.publish(night.customer_id, night.lane, layer=Layer.NIGHTLY, expires_seconds=EXPIRES_SECONDS)
    return len(fresh)


def ask_destination(deliveries: Deliveries, customer: Customer) -> None:
    """Have a processor probe it, also if the customer's queue was put off until the next window."""
    deliveries.publish(customer.customer_id, customer.lane, by="night", task=PROBE)
    deliveries.restore({customer.customer_id: customer.lane}, by="night")


def announce(deliveries: Deliveries, customer: Customer) -> None:
    """A hint, as all of Redis: without it the sweep says so within seconds."""
    deliveries.publish(customer.customer_id, customer.lane, by="night")
    deliveries.restore({customer.customer_id: customer.lane}, by="night")


def next_slot(timetable: Timetable, customer: Customer, now: datetime) -> datetime:
    """When its next night begins."""
    return datetime.fromtimestamp(timetable.night_slot(customer).after(now.timestamp())[0], tz=UTC)


def resources_of(known: Callable[[Customer], Sequence[str]], customer: Customer) -> Sequence[str]:
    """None of one whose source is not known: the probe says what is wrong, and the night must still be able to end."""
    try:
        return known(customer)
    except CustomerInvalid:
        return ()
