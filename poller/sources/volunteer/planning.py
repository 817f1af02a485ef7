"""The plan made anew from what the mirror says, and the estimate that it comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from common.domain import resources
from common.domain.customers import Customer
from common.domain.sizes import Sizes
from common.domain.sources import Source
from poller.sources.estimates import Reckoned, Spent
from poller.sources.volunteer.counting import INSIDE, LISTS, Counted, ask, count, is_enough
from poller.sources.volunteer.distance import Distance
from poller.sources.volunteer.estimate import Cost, Counts, Estimate, estimate
from poller.sources.volunteer.plan import Strategy, read_plan
from poller.sources.volunteer.settings import DAY, VolunteerSettings, read_settings


def replan(
    customer: Customer, sizes: Sizes, *, poll_seconds: float, kept: Mapping[str, Any], now: datetime
) -> Mapping[str, Any] | None:
    """A ScanPlan's body; None as long as too little is known. No request. Raises CustomerInvalid.

    `kept`: the last one, for near the point of balance the way that it took is left alone; empty: none.
    """
    settings = read_settings(customer)
    if not is_enough(sizes, customer.customer_id):
        return None
    counted = count(sizes, customer.customer_id, settings, now)
    return _estimated(counted, settings, poll_seconds, kept).plan.to_body()


def reckon(
    customer: Customer, sizes: Sizes, *, poll_seconds: float, kept: Mapping[str, Any], now: datetime,
    open_source: Callable[[], Source],
) -> Reckoned:  # fmt: skip
    """What the customer costs. Before the first poll, one request for each list. Raises CustomerInvalid, SyncError."""
    settings = read_settings(customer)
    counted = count(sizes, customer.customer_id, settings, now)
    if not is_enough(sizes, customer.customer_id):
        counted = ask(open_source(), counted)
    return _told(_estimated(counted, settings, poll_seconds, kept), counted, settings, kept)


def _estimated(counted: Counted, settings: VolunteerSettings, poll_seconds: float, kept: Mapping[str, Any]) -> Estimate:
    present = read_plan(kept, settings).participations if kept else None
    return estimate(counted.counts, settings, poll_seconds=round(poll_seconds), present=present)


def _told(found: Estimate, counted: Counted, settings: VolunteerSettings, kept: Mapping[str, Any]) -> Reckoned:
    return Reckoned(
        by_resource={resource: _spent(cost, found.poll_seconds) for resource, cost in found.by_resource.items()},
        choice_of=resources.PARTICIPATIONS,
        ways={strategy: _spent(cost, found.poll_seconds) for strategy, cost in found.by_strategy.items()},
        chosen=found.chosen,
        why=_why(found, settings, kept),
        records=_records(counted.counts),
        unknown=counted.unknown,
        asked=counted.asked,
    )


def _spent(cost: Cost, poll_seconds: int) -> Spent:
    return Spent(per_poll=cost.per_day * poll_seconds / DAY, per_day=cost.per_day, backfill=cost.backfill)


def _records(counts: Counts) -> Mapping[str, int]:
    own = {resource: int(getattr(counts, name)) for resource, name in {**LISTS, **INSIDE}.items()}
    return {**own, resources.PROJECT_DATES: counts.dates_at(*Distance)}


def _why(found: Estimate, settings: VolunteerSettings, kept: Mapping[str, Any]) -> str:
    if settings.participations != "auto":
        return f"the customer's setting participations={settings.participations}"
    other = next(strategy for strategy in Strategy if strategy is not found.chosen)
    own, others = found.by_strategy[found.chosen].per_day, found.by_strategy[other].per_day
    figures = f"{own:,.0f} requests a day against {others:,.0f} by {other}"
    if own <= others:
        return f"the cheaper one: {figures}"
    beginning = "the one it has" if kept else "the one to begin with"
    return f"{beginning}, left only for one that costs half of it: {figures}"
