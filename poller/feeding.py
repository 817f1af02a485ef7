"""The sweep's part in replays: batches whose time has come get their next portion, and the workers are told."""

from __future__ import annotations

import structlog

from common.domain.batches import Batches, DueBatch
from common.domain.clock import Clock
from common.queueing.deliveries import Deliveries
from common.queueing.polls import Polls

log = structlog.get_logger(__name__)


def feed_batches(batches: Batches, deliveries: Deliveries, polls: Polls, clock: Clock) -> int:
    """How many letters went to work.

    One customer's batch that cannot be fed is no other's business, nor that of what the sweep does after this: it is
    logged, and tried again by the next sweep.
    """
    return sum(_try(batches, due, deliveries, polls, clock) for due in batches.due(clock.now()))


def _try(batches: Batches, due: DueBatch, deliveries: Deliveries, polls: Polls, clock: Clock) -> int:
    try:
        return _feed(batches, due, deliveries, polls, clock)
    except Exception:  # the sweep serves all customers
        log.exception("batch not fed", action="batch.failed", customer_id=due.customer_id, batch=due.name)
        return 0


def _feed(batches: Batches, due: DueBatch, deliveries: Deliveries, polls: Polls, clock: Clock) -> int:
    fed = batches.feed(due.customer_id, due.name, clock.now())
    if fed.applied:
        deliveries.publish(due.customer_id, due.lane, by="batch")
    if fed.read_again:
        polls.publish(due.customer_id, due.lane)
    if fed.applied or fed.read_again or fed.is_completed:
        log.info(
            "batch completed" if fed.is_completed else "batch fed", customer_id=due.customer_id, batch=due.name,
            action="batch.completed" if fed.is_completed else "batch.fed", count=fed.applied,
        )  # fmt: skip
    return fed.applied + len(fed.read_again)
