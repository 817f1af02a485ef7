"""What the fleet depends on and cannot mend: the APIs' moods, its machines' clocks, and a disk that is full."""

from __future__ import annotations

import time
from collections.abc import Sequence
from random import Random

from chaos.customers import OTHERS
from chaos.stage import Stage
from chaos.wounds import Wound, now_wound

#: Steps of a clock, in seconds: a correction after boot, a wrong zone, a day that a battery lost.
STEPS = (40.0, 600.0, 3_600.0)
STEPPED = ("processor1", "poller1", "beat")
#: What the destination answers, one after the other; 200 lets a request through.
ANSWERS = (500, 500, 200, 503, "reset", "applied_then_reset", 200, {"status": 502, "applied": True})
#: Of PostgreSQL: with less it can add nothing to a table.
PAGE_BYTES = 8_192
#: Seconds for which the disk is full, and then is not.
SHORTEST_FULL, LONGEST_FULL = 1.0, 4.0
FAULTS = (
    {"system": "volunteer", "kind": "error", "status": 502, "body": "html", "rate": 0.05},
    {"system": "volunteer", "kind": "truncate_page", "rate": 0.1},
    {"system": "volunteer", "kind": "repeat_page", "rate": 0.1},
    {"system": "volunteer", "kind": "not_json", "rate": 0.05},
    {"system": "crm", "kind": "error", "status": 503, "body": "empty", "rate": 0.05},
    {"system": "crm", "kind": "drop_after_apply", "rate": 0.1},
    {"system": "crm", "kind": "drop_before_apply", "rate": 0.05},
    {"system": "crm", "kind": "latency", "rate": 0.05, "seconds": 3.0},
)


def moods(stage: Stage, random: Random, seconds: float) -> Sequence[Wound]:
    """Both APIs fail and lie, and one customer's destination obeys a script."""
    script = [random.choice(ANSWERS) for _ in range(30)]
    scripted = {"kind": "script", "system": "crm", "organization": OTHERS[0].name, "script": script}
    stage.admin.add_faults(scripted, *FAULTS)
    try:
        time.sleep(seconds)
        hits = sum(rule["hits"] for rule in stage.admin.faults())
    finally:
        stage.admin.clear_faults()
    assert hits, "no request met a mood"
    stage.say(f"{hits} requests met a mood")
    return [now_wound("apis")]


def disk(stage: Stage, random: Random, seconds: float) -> Sequence[Wound]:
    """PostgreSQL has no room left, again and again. Raises AssertionError on a stage with an ordinary disk."""
    assert stage.disk is not None
    wounds = []
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        stage.disk.fill()
        try:
            time.sleep(random.uniform(SHORTEST_FULL, LONGEST_FULL))
            assert stage.disk.free_bytes < PAGE_BYTES
        finally:
            stage.disk.free()
        wounds.append(now_wound("disk"))
        time.sleep(random.uniform(SHORTEST_FULL, LONGEST_FULL))
    return wounds


def clocks(stage: Stage, random: Random, seconds: float) -> Sequence[Wound]:
    """A worker of each kind lives in another time for a while: ahead or behind, and then back."""
    wounds = []
    for name in STEPPED:
        step = random.choice(STEPS) * random.choice((1, -1))
        stage.say(f"the clock of {name} is stepped by {step:+.0f} s")
        stage.clocks.step(name, step)
        try:
            time.sleep(seconds / len(STEPPED))
        finally:
            stage.clocks.step(name, -step)
        wounds.append(now_wound("clock"))
    return wounds
