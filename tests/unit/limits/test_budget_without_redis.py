"""A budget that cannot be counted is closed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import fakeredis
import pytest

from common.domain.clock import SystemClock
from common.domain.errors import SystemUnavailable
from common.domain.limits import BudgetPolicy, RateHints, Share
from common.limits.budget import RedisBudget

POLICY = BudgetPolicy(system="crm_plus", limit=10, window_seconds=60)


class Always:
    def is_first(self, _customer_id, _system):
        return True


@pytest.fixture
def budget():
    server = fakeredis.FakeServer()
    server.connected = False
    return RedisBudget(fakeredis.FakeStrictRedis(server=server), Always(), SystemClock())


def test_without_redis_nothing_may_be_sent(budget):
    with pytest.raises(SystemUnavailable) as raised:
        budget.acquire("acme", POLICY, Share.LIVE)

    assert not raised.value.sent


def test_what_cannot_be_learned_comes_after_a_request_that_was_sent(budget):
    with pytest.raises(SystemUnavailable) as raised:
        budget.learn("acme", POLICY, RateHints(limit=100))

    assert raised.value.sent


def test_a_wait_that_cannot_be_noted_comes_after_a_request_that_was_sent(budget):
    with pytest.raises(SystemUnavailable) as raised:
        budget.close("acme", POLICY, datetime.now(tz=UTC) + timedelta(minutes=1))

    assert raised.value.sent


def test_an_answer_that_says_nothing_needs_no_redis(budget):
    assert budget.learn("acme", POLICY, RateHints()) is None
