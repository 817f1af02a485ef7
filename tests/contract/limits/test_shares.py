"""Whose work may fill how much of a limit."""

from __future__ import annotations

import pytest

from common.domain.errors import BudgetExhausted
from common.domain.events import Origin
from common.domain.limits import SHARE_OF_ORIGIN, Share, share_of


def take_all(budget, policy, share):
    for count in range(1000):
        try:
            budget.acquire("acme", policy, share)
        except BudgetExhausted:
            return count
    return 1000


def test_reconciliation_leaves_room_for_live_changes_and_backfill_for_both(budget, a_policy):
    policy = a_policy(limit=20)

    taken = [take_all(budget, policy, share) for share in (Share.BACKFILL, Share.RECONCILIATION, Share.LIVE)]

    assert taken == [16, 2, 2]


def test_what_is_used_counts_for_every_share_whoever_used_it(budget, a_policy):
    policy = a_policy(limit=20)

    taken = [take_all(budget, policy, share) for share in (Share.RECONCILIATION, Share.BACKFILL, Share.LIVE)]

    assert taken == [18, 0, 2]


def test_every_layer_has_a_share():
    assert set(SHARE_OF_ORIGIN) == set(Origin)


@pytest.mark.parametrize(
    ("origin", "share"),
    [
        (Origin.POLL, Share.LIVE),
        ("reconciliation", Share.RECONCILIATION),
        (Origin.BACKFILL, Share.BACKFILL),
        ("a word of a newer release", Share.LIVE),
    ],
)
def test_a_layers_work_is_on_its_share(origin, share):
    assert share_of(origin) is share
