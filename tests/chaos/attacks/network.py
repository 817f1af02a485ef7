"""The network between a third of the fleet and its servers, and between all of it and two customers' APIs.

A proxy answers for a machine that does not answer any more, so a peer's keepalives tell nothing: what was swallowed or
half open ends with a reset, as real connections do when their other end is back and knows nothing of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from random import Random

from support.faults.routes import Route
from support.faults.ways import (
    BlackHole,
    HalfOpen,
    Latency,
    LostReply,
    Pass,
    Reach,
    Refuse,
    Reset,
    Side,
    Stall,
    Trickle,
    Way,
)

from chaos.stage import Stage
from chaos.wounds import Wound, now_wound

#: Bytes a second: a page of an API takes longer than an HTTP deadline.
TRICKLE_BYTES = 4_000
#: Seconds for every chunk, either way.
LATENCY_SECONDS = 0.15
#: Between two resets of everything, in seconds.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.3, 1.5
#: Writes whose answers are lost, by route; each is obeyed first.
LOST_WRITES = (b"POST /crm", b"PUT /crm")
LOST = 3


def through(way: Callable[[Random], Way], *, reset_after: bool = False) -> Callable[..., Sequence[Wound]]:
    """An attack that takes the routes in turn: each is bad for its part of the time."""

    def attack(stage: Stage, random: Random, seconds: float) -> Sequence[Wound]:
        wounds = []
        routes = list(stage.network.routes)
        random.shuffle(routes)
        for route in routes:
            _for_a_while(route, way(random), seconds / len(routes), reset_after=reset_after)
            wounds.append(now_wound("network"))
        return wounds

    return attack


latency = through(lambda random: Latency(seconds=LATENCY_SECONDS, jitter_seconds=LATENCY_SECONDS))
trickle = through(lambda random: Trickle(bytes_per_second=TRICKLE_BYTES))
stall = through(lambda random: Stall())
refuse = through(lambda random: Refuse())
black_hole = through(lambda random: BlackHole(), reset_after=True)
half_open = through(lambda random: HalfOpen(gone=random.choice(list(Side))), reset_after=True)


def resets(stage: Stage, random: Random, seconds: float) -> Sequence[Wound]:
    """Every connection is reset, again and again."""
    wounds = []
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        for route in stage.network.routes:
            route.switch(Reset(), reach=Reach.EXISTING)
        wounds.append(now_wound("network"))
        time.sleep(random.uniform(SHORTEST_PAUSE, LONGEST_PAUSE))
    return wounds


def lost_replies(stage: Stage, random: Random, seconds: float) -> Sequence[Wound]:
    """Writes and commits are obeyed, and their answers never arrive."""
    lose = partial(LostReply, times=LOST)
    steps = [(stage.network.database, lose(match=b"COMMIT"))]
    steps += [(stage.network.api, lose(match=match)) for match in LOST_WRITES]
    lost_before = sum(route.tally.lost_replies for route in stage.network.routes)
    random.shuffle(steps)
    for route, way in steps:
        _for_a_while(route, way, seconds / len(steps))
    lost = sum(route.tally.lost_replies for route in stage.network.routes) - lost_before
    stage.say(f"{lost} replies lost after the request was obeyed")
    return [now_wound("network")]


def _for_a_while(route: Route, way: Way, seconds: float, *, reset_after: bool = False) -> None:
    route.switch(way)
    try:
        time.sleep(seconds)
    finally:
        if reset_after:
            route.switch(Reset(), reach=Reach.EXISTING)
        route.switch(Pass())
