"""A backfill that has used up its share waits by itself; a live slice without budget parks the customer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from common.domain.errors import BudgetExhausted, RateLimited
from common.domain.limits import Share
from common.domain.writes import WriteState
from processor.verdicts import Action, Circumstances, decide

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(minutes=7)


@pytest.mark.parametrize(
    ("error", "share", "action"),
    [
        (BudgetExhausted("none left", until=LATER), Share.LIVE, Action.PARK),
        (BudgetExhausted("none left", until=LATER), Share.BACKFILL, Action.WAIT),
        (BudgetExhausted("none left", until=LATER), Share.RECONCILIATION, Action.WAIT),
        (RateLimited("429", until=LATER), Share.BACKFILL, Action.PARK),
    ],
)
def test_who_waits_depends_on_whose_share_is_used_up(error, share, action):
    circumstances = Circumstances(now=NOW, batch_size=3, attempts=0, random_unit=0.0, visibility_seconds=1, share=share)
    verdict = decide(error, circumstances)

    assert verdict.action is action
    assert (verdict.until, verdict.attempts, verdict.write_state) == (LATER, 0, WriteState.NOT_SENT)
    assert verdict.stops_slice
