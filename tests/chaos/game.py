"""Plays the plan: edits all the time, one attack a round, then rest, measurement and audit."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from chaos.attacks.registry import ATTACKS
from chaos.customers import HOT_ENTITIES
from chaos.holding import Leads
from chaos.load import edits, pile_up, versions_of_hot
from chaos.plan import Round
from chaos.rest import Rest, come_to_rest, is_slow
from chaos.stage import Stage
from chaos.wounds import Healing, Wound, healings, settled

#: Seconds of edits after an attack, so that there is work to go on with.
TAIL_SECONDS = 4.0


@dataclass(frozen=True, kw_only=True)
class Played:
    """One round, as it went."""

    round: Round
    wounds: Sequence[Wound]
    healings: Sequence[Healing]
    rest: Rest
    edits: int
    seconds: float

    @property
    def worst(self) -> Healing | None:
        """The slowest recovery; one that never came is the slowest of all."""
        key = lambda healing: float("inf") if healing.seconds is None else healing.seconds  # noqa: E731
        return max(self.healings, key=key, default=None)

    @property
    def is_slow(self) -> bool:
        return is_slow(self.round.attack, self.rest.seconds)

    @property
    def passed(self) -> bool:
        sound = self.rest.unrest is None and self.rest.report.passed
        return sound and all(healing.is_in_time for healing in self.healings)


@dataclass(frozen=True, kw_only=True)
class Game:
    """All rounds, and how much the fleet had to carry."""

    seed: int
    rounds: Sequence[Played]
    hot_versions: int
    pending: int
    seconds: float
    #: What could not be played here, and why.
    left_out: str = ""

    @property
    def passed(self) -> bool:
        return bool(self.rounds) and all(played.passed for played in self.rounds)


def joined(games: Sequence[Game], *, left_out: str = "") -> Game:
    """As if they were one: of one seed, played on stages of their own."""
    return Game(
        seed=games[0].seed,
        rounds=[played for game in games for played in game.rounds],
        hot_versions=sum(game.hot_versions for game in games),
        pending=max(game.pending for game in games),
        seconds=sum(game.seconds for game in games),
        left_out=left_out,
    )


def play(stage: Stage, rounds: Sequence[Round], *, seed: int, versions: int, pending: int) -> Game:
    """`versions` of each hot entity over all rounds, `pending` events of one entity at the first."""
    began = time.monotonic()
    first = come_to_rest(stage)
    stage.say(f"{first.seconds:.0f} s  all customers are read and written for the first time")
    if first.unrest or not first.report.passed:
        opening = _opening(first)
        stage.say(line(opening))
        return Game(seed=seed, rounds=[opening], hot_versions=0, pending=0, seconds=first.seconds)
    pile_up(stage, pending)
    played = []
    with Leads(stage) as leads:
        for each in rounds:
            played.append(_round(stage, each, leads, hot_edits=versions * HOT_ENTITIES // len(rounds)))
            stage.say(line(played[-1]))
    return Game(
        seed=seed,
        rounds=played,
        hot_versions=versions_of_hot(stage),
        pending=pending,
        seconds=time.monotonic() - began,
    )


def _opening(rest: Rest) -> Played:
    """The first reading, which nobody attacked; where that fails already, nothing is to be learned from attacks."""
    nothing = Round(number=0, attack="none", seconds=0.0, seed=0)
    return Played(round=nothing, wounds=(), healings=(), rest=rest, edits=0, seconds=rest.seconds)


def line(played: Played) -> str:
    worst = played.worst
    recovery = "-" if worst is None else "never" if worst.seconds is None else f"{worst.seconds:.1f} s"
    found = played.rest.unrest or f"{len(played.rest.report.findings)} findings"
    return f"round {played.round.number}  {played.round.attack}: worst recovery {recovery}, {found}"


def _round(stage: Stage, each: Round, leads: Leads, *, hot_edits: int) -> Played:
    stage.say(f"round {each.number}  {each.attack}, {each.seconds:.0f} s")
    began, random, before = time.monotonic(), each.random(), settled(stage)
    wounds: Sequence[Wound] = ()
    unproved = ""
    with edits(stage, random, hot_edits=hot_edits, seconds=each.seconds + TAIL_SECONDS) as editor:
        try:
            wounds = tuple(ATTACKS[each.attack](stage, each.random(), each.seconds))
        except AssertionError as error:  # it met nobody; the other attacks may
            unproved = f"nothing was proved: {error}"
        time.sleep(TAIL_SECONDS)
    rest = come_to_rest(stage)
    rest = replace(rest, unrest=rest.unrest or unproved or None)
    return Played(
        round=each,
        wounds=wounds,
        healings=healings(stage, wounds, leads, before),
        rest=rest,
        edits=hot_edits + editor.done,
        seconds=time.monotonic() - began,
    )
