"""All attacks, by name."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import TypeAlias

from chaos.attacks import database, killing, network, redis, surroundings
from chaos.stage import Stage
from chaos.wounds import Wound

Attack: TypeAlias = Callable[[Stage, Random, float], Sequence[Wound]]


def storm(stage: Stage, random: Random, seconds: float) -> Sequence[Wound]:
    """Kills all the time; meanwhile the database restarts, and then every connection behind the proxy is reset."""
    with ThreadPoolExecutor(max_workers=1) as beside:
        kills = beside.submit(killing.kill, stage, Random(random.random()), seconds)
        wounds = []
        for strike in (database.restart, network.resets):
            time.sleep(seconds / 6)
            wounds += strike(stage, random, seconds / 3)
        return [*wounds, *kills.result()]


ATTACKS: Mapping[str, Attack] = {
    "kill": killing.kill,
    "pause": killing.pause,
    "zombie": killing.zombie,
    "coma": killing.coma,
    "flush": redis.flush,
    "torn": redis.torn,
    "restart": database.restart,
    "sessions": database.cut_sessions,
    "connections": database.use_up,
    "rows": database.hold_rows,
    "latency": network.latency,
    "trickle": network.trickle,
    "stall": network.stall,
    "refuse": network.refuse,
    "reset": network.resets,
    "half-open": network.half_open,
    "black-hole": network.black_hole,
    "lost-reply": network.lost_replies,
    "moods": surroundings.moods,
    "clocks": surroundings.clocks,
    "disk": surroundings.disk,
    "storm": storm,
}
#: Those that take minutes, and so are left out of a game that is shorter than this, unless they are asked for.
LONG, LONG_MINUTES = frozenset({"coma"}), 30.0
#: Those that need a disk which can be filled; they are played on a stage of their own.
ON_SMALL_DISK = frozenset({"disk"})
