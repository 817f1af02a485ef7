"""The short form of `make chaos`: the two attacks that have most to show, on a fleet of real processes."""

from __future__ import annotations

import pytest

from chaos.game import line, play
from chaos.plan import Round
from chaos.stage import set_stage

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(600)]

#: A worker that wakes after others took its work over; then kills, an immediate restart and resets at once. What makes
#: Redis forget is left to the full form: a source's budget then stays shut for a minute, as it should.
ATTACKS = ("zombie", "storm")
ATTACK_SECONDS = 6.0
SEED = 7
#: Of the 2,000 versions and 5,000 pending events of the full form.
VERSIONS, PENDING = 100, 500


def test_a_fleet_whose_workers_wake_as_zombies_and_then_meets_a_storm_of_kills_leaves_nothing_to_find(tmp_path):
    rounds = [
        Round(number=number, attack=attack, seconds=ATTACK_SECONDS, seed=SEED + number)
        for number, attack in enumerate(ATTACKS, start=1)
    ]
    with set_stage(tmp_path, seed=SEED, say=print) as stage:
        game = play(stage, rounds, seed=SEED, versions=VERSIONS, pending=PENDING)

    assert [line(played) for played in game.rounds if not played.passed] == []
    assert all(played.healings for played in game.rounds), "nothing was interrupted, so nothing was proved"
