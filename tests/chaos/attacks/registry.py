"""All attacks, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import TypeAlias

from chaos.attacks import database, killing, redis
from chaos.stage import Stage
from chaos.wounds import Wound

Attack: TypeAlias = Callable[[Stage, Random, float], Sequence[Wound]]

ATTACKS: Mapping[str, Attack] = {
    "kill": killing.kill,
    "pause": killing.pause,
    "zombie": killing.zombie,
    "flush": redis.flush,
    "torn": redis.torn,
    "restart": database.restart,
    "sessions": database.cut_sessions,
    "connections": database.use_up,
    "rows": database.hold_rows,
}
