"""A round that comes to rest late is told."""

from __future__ import annotations

import pytest
from chaos.attacks.registry import ATTACKS
from chaos.rest import FORGETTING, SHUT_SECONDS, SLOW_SECONDS, is_slow


@pytest.mark.parametrize("attack", ATTACKS)
def test_rest_within_the_bound_is_not_slow_and_a_minute_more_is_given_where_redis_has_forgotten_budgets(attack):
    bound = SLOW_SECONDS + (SHUT_SECONDS if attack in FORGETTING else 0)
    assert not is_slow(attack, bound)
    assert is_slow(attack, bound + 0.1)


def test_what_makes_redis_forget_is_an_attack():
    assert set(FORGETTING) <= set(ATTACKS)
