"""A game can be played again: its plan follows from the seed alone."""

from __future__ import annotations

from chaos.plan import LONGEST_ATTACK, SHORTEST_ATTACK, plan

NAMES = ("kill", "pause", "flush", "restart")


def test_the_same_seed_gives_the_same_plan_and_another_seed_another_one():
    assert plan(7, 5, NAMES) == plan(7, 5, NAMES)
    assert [plan(seed, 5, NAMES) for seed in range(1, 5)] != [plan(7, 5, NAMES)] * 4


def test_a_round_draws_the_same_numbers_each_time_it_is_played():
    (first, *_), (again, *_) = plan(7, 5, NAMES), plan(7, 5, NAMES)
    assert [first.random().random()] * 2 == [again.random().random(), first.random().random()]


def test_every_attack_is_played_however_short_the_time():
    rounds = plan(7, 0.1, NAMES)
    assert {each.attack for each in rounds} == set(NAMES)
    assert {each.seconds for each in rounds} == {SHORTEST_ATTACK}


def test_more_time_is_more_attacks_and_not_longer_ones_without_end():
    assert len(plan(7, 60, NAMES)) > len(plan(7, 5, NAMES)) >= len(NAMES)
    assert all(each.seconds <= LONGEST_ATTACK for each in plan(7, 60, NAMES))
