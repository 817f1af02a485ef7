"""PostgreSQL: restarted in the middle, its sessions ended, its connections used up, rows held by somebody."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from contextlib import ExitStack
from random import Random

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from support.waiting import wait_until

from chaos.processes import signal_to
from chaos.stage import Stage
from chaos.wounds import Wound, now_wound

#: Seconds until it answers again: recovery after a crash, and its supervisor's patience.
UP_SECONDS = 60.0
#: Far more than a server has.
MOST_CONNECTIONS = 1_000
CUT = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'syncfleet %'")
HOLD = (
    "SELECT 1 FROM events WHERE state IN ('pending', 'submitted') FOR UPDATE SKIP LOCKED",
    "SELECT 1 FROM checkpoints FOR UPDATE SKIP LOCKED",
)


def restart(stage: Stage, random: Random, seconds: float) -> Sequence[Wound]:
    """As `pg_ctl restart -m immediate` does it: SIGQUIT, no checkpoint, recovery from the log at the start."""
    signal_to(stage.server_pid("postgres"), signal.SIGQUIT)
    time.sleep(0.5)  # It is going down: an answer sooner than this would be the old one's.
    wait_until(lambda: _answers(stage), seconds=UP_SECONDS, what="PostgreSQL")
    wound = now_wound("postgres")
    time.sleep(seconds / 2)
    return [wound]


def cut_sessions(stage: Stage, random: Random, seconds: float) -> Sequence[Wound]:
    """Every session of the fleet ends, with its locks, again and again; requests under way go on without them.

    Raises AssertionError if there was none to end: nothing would be proved.
    """
    wounds, cut = [], 0
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        with stage.engine.connect() as connection:
            cut += len(connection.execute(CUT).all())
        wounds.append(now_wound("sessions"))
        time.sleep(random.uniform(0.5, 3.0))
    stage.say(f"{cut} sessions ended")
    assert cut
    return wounds


def use_up(stage: Stage, random: Random, seconds: float) -> Sequence[Wound]:
    """Connections are opened until the server refuses, and then the fleet's own sessions end: it gets no new ones."""
    conninfo = stage.endpoints.database_url.replace("postgresql+psycopg://", "postgresql://", 1)
    with ExitStack() as stack:
        opened = 0
        for _ in range(2):
            opened += _open_until_refused(stack, conninfo)
            with stage.engine.connect() as connection:
                connection.execute(CUT)
        stage.say(f"{opened} connections opened, until none was left")
        time.sleep(seconds)
    return [now_wound("connections")]


def hold_rows(stage: Stage, random: Random, seconds: float) -> Sequence[Wound]:
    """A transaction that is left open holds the rows of all open events and all checkpoints."""
    conninfo = stage.endpoints.database_url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(conninfo) as session:
        held = sum(len(session.execute(statement).fetchall()) for statement in HOLD)
        stage.say(f"{held} rows held by an open transaction")
        assert held, "no row was held: nothing would be proved"
        time.sleep(seconds)
        session.rollback()
    return [now_wound("rows")]


def _open_until_refused(stack: ExitStack, conninfo: str) -> int:
    for number in range(MOST_CONNECTIONS):
        try:
            session = psycopg.connect(conninfo)
        except psycopg.OperationalError:
            return number
        stack.callback(session.close)
    raise AssertionError(f"{MOST_CONNECTIONS} connections, and none was refused: nothing was proved")


def _answers(stage: Stage) -> bool:
    try:
        with stage.engine.connect() as connection:
            return bool(connection.execute(text("SELECT true")).scalar_one())
    except SQLAlchemyError:
        return False
