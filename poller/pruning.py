"""The sweep's part in forgetting: pages that were seen too long ago, a bounded number at a time."""

from __future__ import annotations

from datetime import timedelta

import structlog

from common.domain.clock import Clock
from common.domain.pages import PageHistory
from common.queueing.asked import Asked

log = structlog.get_logger(__name__)

#: How often; all processes together.
PRUNE_SECONDS = 60.0
#: Rows of one transaction, some tens of milliseconds, and transactions of one sweep: 14 million pages a day, which is
#: what 100 customers read that use up their hundred requests a minute, and never the same page twice.
PORTION, PORTIONS = 1_000, 10


def prune(pages: PageHistory, asked: Asked, clock: Clock, kept_for: timedelta) -> int:
    """How many pages went.

    That they cannot be forgotten just now is no customer's business, nor that of what the sweep does beside this: it is
    logged, and tried again by a later sweep.
    """
    try:
        return _prune(pages, clock, kept_for) if asked.fresh(["prune"], seconds=PRUNE_SECONDS) else 0
    except Exception:  # the sweep serves all customers
        log.exception("pages not forgotten", action="pages.failed")
        return 0


def _prune(pages: PageHistory, clock: Clock, kept_for: timedelta) -> int:
    before, gone = clock.now() - kept_for, 0
    for _ in range(PORTIONS):
        portion = pages.prune(before, at_most=PORTION)
        gone += portion
        if portion < PORTION:
            break
    if gone:
        log.info("pages forgotten", action="pages.forgotten", count=gone)
    return gone
