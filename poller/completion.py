"""A resource was read to its end for the first time: polls take over, and with the last one the customer's history
says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from common.domain.customers import Customer
from common.domain.sizes import Sizes
from common.domain.stores import CustomerStore

log = structlog.get_logger(__name__)

#: In logs and in the customer's history.
ACTION = "backfill.completed"
#: Who says so there.
ACTOR = "poller"


@dataclass(frozen=True, kw_only=True)
class Completion:
    """Called with the customer and the resource."""

    sizes: Sizes
    customers: CustomerStore
    resources: Callable[[Customer], Sequence[str]]

    def __call__(self, customer: Customer, resource: str) -> None:
        listed = self.sizes.listed(customer.customer_id)
        left = [name for name in self.resources(customer) if name not in listed]
        log.info(ACTION, action=ACTION, resource=resource, left=len(left))
        if not left:
            detail = f"{resource} was the last of all: from here on it is polled"
            self.customers.note(customer.customer_id, actor=ACTOR, action=ACTION, detail=detail)
