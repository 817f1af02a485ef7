"""Coming to rest: nothing open, everything read since the last edit, source and destination level; then the audit."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from chaos.customers import CUSTOMERS
from chaos.stage import Stage
from deploy.audit.reading import read_export
from deploy.audit.report import Report
from deploy.audit.run import audit, behind

#: Seconds from the end of the edits. A source's budget that Redis forgot stays shut for a minute, and the queues behind
#: it want some more.
REST_SECONDS = 150.0
#: Seconds after which a round that did come to rest is shown as slow, on two quiet cores; and after Redis has forgotten
#: how much of a budget was used, a minute more.
SLOW_SECONDS, SHUT_SECONDS = 60.0, 60.0
FORGETTING = ("flush", "torn")
#: Seconds between two looks, and so many of them in a row must be quiet: longer than a request that was given up.
LOOK_SECONDS = 0.5
QUIET_LOOKS = 5
#: Between two words on what is still missing.
SAY_SECONDS = 8.0
OPEN = text("SELECT count(*) FROM events WHERE state IN ('pending', 'submitted')")
#: Not what a stepped clock has dated into the future: it would be a reading since, whatever is asked.
READ = text(
    "SELECT count(DISTINCT customer_id) FROM runs"
    " WHERE resource = 'users' AND state = 'completed' AND started_at BETWEEN :since AND now()"
)


@dataclass(frozen=True, kw_only=True)
class Rest:
    """How the fleet came to rest, and what the auditor says of it."""

    seconds: float
    #: None: at rest. Else what was still missing.
    unrest: str | None
    report: Report


def is_slow(attack: str, seconds: float) -> bool:
    """Whether this attack's round took longer to come to rest than it should; told, and no failure."""
    return seconds > SLOW_SECONDS + (SHUT_SECONDS if attack in FORGETTING else 0.0)


def come_to_rest(stage: Stage) -> Rest:
    """Call it when edits and attack are over."""
    began, since = time.monotonic(), datetime.now(UTC)
    told = began
    unrest: str | None = "nothing was looked at"
    quiet = 0
    while quiet < QUIET_LOOKS and time.monotonic() - began < REST_SECONDS:
        time.sleep(LOOK_SECONDS)
        unrest = _unrest(stage, since, with_export=quiet == QUIET_LOOKS - 1)
        quiet = 0 if unrest else quiet + 1
        if unrest and time.monotonic() - told > SAY_SECONDS:
            told = time.monotonic()
            stage.say(f"  no rest yet after {told - began:.0f} s: {unrest}")
    return Rest(seconds=time.monotonic() - began, unrest=unrest, report=audit(stage.sandbox_url))


def _unrest(stage: Stage, since: datetime, *, with_export: bool) -> str | None:
    try:
        with stage.engine.connect() as connection:
            pending = connection.execute(OPEN).scalar_one()
            unread = len(CUSTOMERS) - connection.execute(READ, {"since": since}).scalar_one()
    except SQLAlchemyError as error:
        return f"the database is away ({type(error).__name__})"
    if pending or unread:
        return f"{pending} events open, {unread} customers not read to the end since"
    late = (
        {name: count for name, count in behind(read_export(stage.sandbox_url)).items() if count} if with_export else {}
    )
    return f"behind: {late}" if late else None
