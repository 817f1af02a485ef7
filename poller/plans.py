"""What a connector wants kept of a customer between runs, and its making anew.

It depends on the account's size, which changes slowly: once a day is enough, where a poll begins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from common.domain.clock import Clock
from common.domain.customers import Customer
from common.domain.errors import CustomerInvalid
from common.domain.references import ReferenceCache
from common.domain.sizes import Sizes
from poller.sources.registry import NO_PLAN, PLAN, PLAN_KEPT, definition

log = structlog.get_logger(__name__)

#: What the mirror says of the size is counted again after this.
RENEWED_AFTER = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Plans:
    """Of all customers."""

    references: ReferenceCache
    sizes: Sizes
    clock: Clock
    #: Seconds between two polls of a customer.
    poll_seconds: Callable[[Customer], float]
    #: `DetectionStore.unplan_scopes`.
    unplan: Callable[[str], None]

    def of(self, customer: Customer) -> Mapping[str, Any]:
        """The plan that was kept; empty: none, or one that is too old to mean anything."""
        not_before = self.clock.now() - PLAN_KEPT
        return self.references.get(customer.customer_id, PLAN, not_before=not_before) or NO_PLAN

    def renew(self, customer: Customer) -> None:
        """Where a poll begins: make it anew if a day has passed."""
        now = self.clock.now()
        if self.references.get(customer.customer_id, PLAN, not_before=now - RENEWED_AFTER) is not None:
            return
        kept = self.of(customer)
        plan = self._replanned(customer, kept)
        if plan is None:
            return
        self.references.put(customer.customer_id, PLAN, dict(plan), now)
        if plan != kept:
            # After it: whatever is reckoned anew from here on is reckoned from the new plan.
            self.unplan(customer.customer_id)
            log.info("plan made", action="plan.made", customer_id=customer.customer_id, plan=dict(plan))

    def _replanned(self, customer: Customer, kept: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """None as well if its settings are malformed: the run that follows pauses it for that, with the reason."""
        try:
            return definition(customer).replan(
                customer, self.sizes, poll_seconds=self.poll_seconds(customer), kept=kept, now=self.clock.now()
            )
        except CustomerInvalid as error:
            log.warning("no plan made", action="plan.refused", customer_id=customer.customer_id, why=str(error))
            return None
