"""Processes of the fleet: killed again and again, or stopped past every deadline and woken."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from random import Random

from sqlalchemy import text

from chaos.holding import held_by, holdings, session_ports
from chaos.processes import signal_to
from chaos.stage import Stage
from chaos.wounds import Wound, now_wound
from common.queueing.celery_app import VISIBILITY_TIMEOUT_SECONDS

#: Between two kills, in seconds.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.3, 2.0
#: Looks for a worker in the middle of its work, and seconds between them: a partition is often held for milliseconds.
LOOKS, LOOK_SECONDS = 25, 0.02
#: Seconds until one was met, and was still at it once it was stopped: there are edits all the time.
MEETING_SECONDS = 30.0
CUT = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE client_port = ANY(:ports)")


def kill(stage: Stage, random: Random, seconds: float) -> Sequence[Wound]:
    """SIGKILL of a worker or a beat every 0.3 to 2 s, half of them in the middle of their work."""
    wounds: list[Wound] = []
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        name = random.choice(stage.names("processor", "poller", "beat"))
        if random.random() < 0.5:
            name = _busy(stage, random) or name
        wounds += _killed(stage, name)
        time.sleep(random.uniform(SHORTEST_PAUSE, LONGEST_PAUSE))
    return wounds


def pause(stage: Stage, random: Random, seconds: float) -> Sequence[Wound]:
    """SIGSTOP of a worker that holds a partition, past the HTTP deadline and the lock's own; then it goes on.

    It keeps its locks meanwhile, which is safe; so what it held is recovered from its waking on.
    """
    name, pid, held = _stop_at_work(stage, random)
    stage.say(f"stopped: {name}")
    try:
        time.sleep(seconds)
    finally:
        signal_to(pid, signal.SIGCONT)
    return [Wound(at=time.time(), victim=name, locks=held)]


def coma(stage: Stage, random: Random, seconds: float) -> Sequence[Wound]:
    """SIGSTOP until the broker gives what the worker had taken, and not acknowledged, to others; then it goes on."""
    return pause(stage, random, VISIBILITY_TIMEOUT_SECONDS + seconds)


def zombie(stage: Stage, random: Random, seconds: float) -> Sequence[Wound]:
    """SIGSTOP, and its sessions end, so that others take its locks over; then it wakes in the middle of its work.

    It must not write any more, nor undo what others did meanwhile.
    """
    name, pid, held = _stop_at_work(stage, random)
    stage.say(f"a zombie: {name}")
    try:
        ports = session_ports(stage, pid)
        at = time.time()
        with stage.engine.connect() as connection:
            connection.execute(CUT, {"ports": list(ports)})
        time.sleep(seconds)
    finally:
        signal_to(pid, signal.SIGCONT)
    return [Wound(at=at, victim=name, locks=held), now_wound("fleet")]


def _stop_at_work(stage: Stage, random: Random) -> tuple[str, int, frozenset[str]]:
    """Its name, its pid and the locks that it holds, a partition's among them, now that it has been stopped by SIGSTOP.

    Raises AssertionError if none is met in the middle of its work: nothing would be proved.
    """
    ends = time.monotonic() + MEETING_SECONDS
    while time.monotonic() < ends:
        name = _busy(stage, random)
        if name is None:
            continue
        pid = stage.pid(name)
        signal_to(pid, signal.SIGSTOP)
        held = held_by(stage, pid)
        if any(lock.startswith("partition") for lock in held):
            return name, pid, held
        signal_to(pid, signal.SIGCONT)  # it was done with it before the signal came
    raise AssertionError(f"no worker was met in the middle of its work in {MEETING_SECONDS} s")


def _busy(stage: Stage, random: Random) -> str | None:
    """A processor that holds a partition at this moment."""
    for _ in range(LOOKS):
        ports = {port for port, names in holdings(stage).items() if any(name.startswith("partition") for name in names)}
        busy = [name for name in stage.names("processor") if ports and ports & session_ports(stage, stage.pid(name))]
        if busy:
            return random.choice(busy)
        time.sleep(LOOK_SECONDS)
    return None


def _killed(stage: Stage, name: str) -> Sequence[Wound]:
    """Nothing if it was dead already."""
    pid = stage.pid(name)
    held = held_by(stage, pid)
    at = time.time()
    if not signal_to(pid, signal.SIGKILL):
        return []
    return [Wound(at=at, victim=name, locks=held)]
