"""Redis forgets: all of it, or the end of its log, which a crash has torn off."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

from redis import RedisError
from sqlalchemy import text
from support.waiting import wait_until

from chaos.processes import signal_to
from chaos.stage import Stage
from chaos.wounds import Wound, forgotten_wound

#: Between two flushes, in seconds: a delivery's turn, or several.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.2, 1.0
#: So few that there is work left when the last is over: no source is read meanwhile.
FLUSHES = 3
#: How the keys of budgets begin: the counts, the clock's mark, the server that counted.
BUDGETS = b"budget"
#: Of the log's end, bytes that are lost: from half a command to some hundreds of messages.
FEWEST_BYTES, MOST_BYTES = 7, 40_000
#: So many events are open when Redis forgets what was said of them; and seconds until there are.
WORK_EVENTS, WORK_SECONDS = 10, 30.0
OPEN = text("SELECT count(*) FROM events WHERE state IN ('pending', 'submitted')")
#: Seconds until it answers again; it reads its log, and its supervisor waits a second at first.
UP_SECONDS = 60.0


def flush(stage: Stage, random: Random, seconds: float) -> Sequence[Wound]:
    """FLUSHALL; and then, again and again, all but the budgets is gone: a message published by work that was under way
    at one is lost at the next.

    A budget is closed for a minute from the first request after it was forgotten; forgotten again in that minute, it
    would be closed for two, and nothing more would be shown.
    """
    _wait_for_work(stage)
    with stage.redis() as client:
        client.flushall()
    wounds = [forgotten_wound("redis")]
    for _ in range(FLUSHES):
        time.sleep(random.uniform(SHORTEST_PAUSE, LONGEST_PAUSE))
        _forget_messages(stage)
        wounds.append(forgotten_wound("redis"))
    time.sleep(seconds / 2)
    return wounds


def _wait_for_work(stage: Stage) -> None:
    """Something is to be lost. Raises AssertionError if there is not, although there are edits all the time."""
    with stage.engine.connect() as connection:
        wait_until(
            lambda: connection.execute(OPEN).scalar_one() >= WORK_EVENTS, seconds=WORK_SECONDS, what="events to apply"
        )


def _forget_messages(stage: Stage) -> None:
    with stage.redis() as client:
        if keys := [key for key in client.scan_iter() if not key.startswith(BUDGETS)]:
            client.delete(*keys)


def torn(stage: Stage, random: Random, seconds: float) -> Sequence[Wound]:
    """kill -9, the end of its append-only file cut off, and a start from what is left."""
    with stage.redis() as client:
        log = _newest_log(Path(client.config_get("dir")["dir"]))
    pid = stage.server_pid("redis")
    _wait_for_work(stage)
    signal_to(pid, signal.SIGKILL)
    wait_until(lambda: not _lives(pid), seconds=UP_SECONDS, what="the end of Redis")
    lost = min(log.stat().st_size, random.randint(FEWEST_BYTES, MOST_BYTES))
    os.truncate(log, log.stat().st_size - lost)
    if stage.server_pid("redis") != pid:
        raise AssertionError("Redis was started before its log was cut: nothing was proved")
    stage.say(f"Redis killed, {lost} bytes of its log lost")
    wait_until(lambda: _answers(stage), seconds=UP_SECONDS, what="Redis")
    wound = forgotten_wound("redis")
    time.sleep(seconds / 2)
    return [wound]


def _newest_log(data: Path) -> Path:
    """Of one file, as Redis 6 has it, or of the increments of Redis 7."""
    logs = [data / "appendonly.aof", *(data / "appendonlydir").glob("*.incr.aof")]
    return max((log for log in logs if log.exists()), key=lambda log: log.stat().st_mtime)


def _lives(pid: int) -> bool:
    """A zombie of the kernel's, not yet waited for, has let go of its files."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _answers(stage: Stage) -> bool:
    try:
        with stage.redis() as client:
            return bool(client.ping())
    except RedisError:
        return False
