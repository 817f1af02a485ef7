"""Moments as people type them: an age (`90m`, `24h`, `7d`) or an ISO time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from common.cli.ages import UNITS
from common.cli.failures import CommandFailed

AGE = re.compile(r"(\d{1,6})([smhd])")
SECONDS = {letter: size for size, letter in UNITS}


def since(text: str, now: datetime) -> datetime:
    """Aware. A time without a zone is UTC. Raises CommandFailed."""
    age = AGE.fullmatch(text.strip())
    try:
        if age is not None:
            return now - timedelta(seconds=int(age[1]) * SECONDS[age[2]])
        moment = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError):
        line = f"--since: {text!r} is neither an age such as 90m, 24h or 7d, nor an ISO time such as 2026-01-31T06:00"
        raise CommandFailed(line, exit_code=2) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
