"""The network between a third of the fleet and its servers, and between all of it and two customers' APIs.

A proxy answers for a machine that does not answer any more, so a peer's keepalives tell nothing: what was swallowed or
half open ends with a reset, as real connections do when their other end is back and knows nothing of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
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
from support.waiting import wait_until

from chaos.stage import CUSTOMERS_BEHIND, Stage
from chaos.wounds import Wound, now_wound
from deploy.sandbox.accounts import base_path

#: Bytes a second: a page of an API takes longer than an HTTP deadline.
TRICKLE_BYTES = 4_000
#: Seconds for every chunk, either way.
LATENCY_SECONDS = 0.15
#: Between two resets of everything, in seconds.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.3, 1.5
#: Replies lost of each kind of write, and seconds until there was one: forms are read every ten seconds.
LOST, LOSS_SECONDS = 2, 60.0


def through(way: Callable[[Random], Way], *, reset_after: bool = False) -> Callable[..., Sequence[Wound]]:
    """An attack that takes the routes in turn: each is bad for its part of the time."""

    def attack(stage: Stage, random: Random, seconds: float) -> Sequence[Wound]:
        wounds = []
        routes = list(stage.network.routes)
        random.shuffle(routes)
        for route in routes:
            is_met = _for_a_while(route, way(random), seconds / len(routes), reset_after=reset_after)
            assert is_met, "nobody came by: nothing was proved"
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
    """Writes and commits are obeyed, and their answers never arrive: people and notes made, addresses changed."""
    losses = _losses(stage)
    random.shuffle(losses)
    lost = sum([_lose(loss, seconds / len(losses)) for loss in losses])
    stage.say(f"{lost} replies lost after the request was obeyed")
    return [now_wound("network")]


@dataclass(frozen=True, kw_only=True)
class Loss:
    """Requests by what they begin with, and an edit at the source that makes one be sent, if the others do not."""

    route: Route
    match: bytes
    provoke: Callable[[], object] = lambda: None


def _losses(stage: Stage) -> list[Loss]:
    api, (one, other), admin = stage.network.api, CUSTOMERS_BEHIND, stage.admin
    return [
        Loss(route=stage.network.database, match=b"COMMIT"),
        Loss(route=api, match=_request("PUT", one, "ContactMethod/")),
        Loss(
            route=api,
            match=_request("POST", one, "ContactNote"),
            provoke=partial(admin.create_record, one, "form_completions"),
        ),
        # The other's contacts are created by requests of their own, not by imports, which look for themselves.
        Loss(route=api, match=_request("POST", other, "Contact "), provoke=partial(admin.create_user, other)),
    ]


def _request(method: str, customer: str, path: str) -> bytes:
    return f"{method} {base_path(customer)}/crm/api/{path}".encode()


def _lose(loss: Loss, seconds: float) -> int:
    """How many replies. Raises AssertionError if there was none to lose: nothing would be proved."""
    before = loss.route.tally.lost_replies
    is_lost = lambda: loss.route.tally.lost_replies > before  # noqa: E731
    loss.route.switch(LostReply(match=loss.match, times=LOST))
    try:
        loss.provoke()
        time.sleep(seconds)
        wait_until(is_lost, seconds=LOSS_SECONDS, what=f"a reply to {loss.match.decode()} to be lost")
    finally:
        loss.route.switch(Pass())
    return loss.route.tally.lost_replies - before


def _for_a_while(route: Route, way: Way, seconds: float, *, reset_after: bool = False) -> bool:
    """Whether there was a connection that it could befall."""
    before = replace(route.tally)
    is_met = route.open_links > 0
    route.switch(way)
    try:
        time.sleep(seconds)
    finally:
        if reset_after:
            route.switch(Reset(), reach=Reach.EXISTING)
        route.switch(Pass())
    return is_met or route.tally != before
