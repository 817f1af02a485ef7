"""After a page with events is committed: a delivery for the customer, unless its destination is blocked or it waits
for its night.

A blocked destination costs no pop: whoever verifies it publishes a delivery, and so does the sweep from then on.
"""

from __future__ import annotations

from dataclasses import dataclass

from common.domain.breakers import CLOSED, BreakerState
from common.domain.customers import Customer, Mode, System
from common.domain.passages import Breakers
from common.queueing.deliveries import Deliveries


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """Called with the customer."""

    deliveries: Deliveries
    breakers: Breakers

    def __call__(self, customer: Customer) -> None:
        if customer.mode is Mode.NIGHTLY:
            return  # its night says when
        breaker = self.breakers.of(customer.customer_id).get(System.DESTINATION, CLOSED)
        if breaker.state is not BreakerState.BLOCKED:
            self.deliveries.publish(customer.customer_id, customer.lane, by="poll")
