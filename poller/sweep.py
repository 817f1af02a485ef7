"""Say again what Redis forgot: work without a message, customers missing from the hot set, runs whose time has come."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from common.domain.clock import Clock
from common.domain.customers import Customer, Lane
from common.queueing.asked import Asked
from common.queueing.deliveries import Deliveries
from common.queueing.names import poll_queue
from common.queueing.polls import Polls
from common.storage.overview import DueRun, PostgresOverview

log = structlog.get_logger(__name__)

#: A poll asked for by the sweep is asked for again if nobody took it within this time.
CONTINUATION_EXPIRES_SECONDS = 10.0
#: Polls waiting in a lane at which the sweep adds no more: nobody serves it, or not fast enough, and an expired message
#: is dropped only when it is taken.
MOST_WAITING_POLLS = 10_000
#: How often every queue is looked at, hot or not.
REPAIR_SECONDS = 30.0


def sweep(overview: PostgresOverview, deliveries: Deliveries, polls: Polls, asked: Asked, clock: Clock) -> int:
    """How many messages were missing."""
    now = clock.now()
    missing = deliveries.restore({work.customer_id: Lane(work.lane) for work in overview.due_work(now)}, by="sweep")
    ask_for_runs(overview.due_runs(now), polls, asked)
    if missing:
        log.info("deliveries restored", action="sweep.restored", count=missing)
    return missing


def ask_for_runs(runs: Sequence[DueRun], polls: Polls, asked: Asked) -> int:
    """One poll for each, and no other while it may still be taken: after an outage all customers are due at once."""
    served = {lane for lane in Lane if asked.waiting(poll_queue(lane)) <= MOST_WAITING_POLLS}
    runs = [run for run in runs if Lane(run.lane) in served]
    names = {f"{run.layer}/{run.customer_id}/{run.due_at.timestamp():f}": run for run in runs}
    fresh = asked.fresh(names, seconds=CONTINUATION_EXPIRES_SECONDS)
    for name in fresh:
        run = names[name]
        polls.publish(
            run.customer_id,
            Lane(run.lane),
            layer=run.layer,
            resources=run.resources,
            expires_seconds=CONTINUATION_EXPIRES_SECONDS,
        )
    return len(fresh)


def repair(served: Callable[[], Sequence[Customer]], deliveries: Deliveries, asked: Asked) -> int:
    """Bring the hot sets in line with the customers, if nobody has just done so; returns the corrections.

    Paused ones are served too: their messages stay where they are.
    """
    if not asked.fresh(["repair"], seconds=REPAIR_SECONDS):
        return 0
    corrections = deliveries.repair({each.customer_id: each.lane for each in served()})
    if corrections:
        log.info("hot sets repaired", action="sweep.repaired", count=corrections)
    return corrections
