"""Ages: short words for people, seconds for programs."""

from __future__ import annotations

from datetime import UTC, datetime

#: Seconds of a unit, and its letter, longest first.
UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def age_seconds(moment: datetime | None, now: datetime) -> float | None:
    """How long ago; never negative, for another machine's clock may run ahead. None: never."""
    return None if moment is None else round(max(0.0, (now - moment).total_seconds()), 3)


def age_text(seconds: float | None) -> str:
    """In the largest unit, rounded down, so that it never takes more than five columns: `4s`, `3m`, `8d`. None: `-`."""
    if seconds is None:
        return "-"
    whole = int(seconds)
    size, letter = next((unit for unit in UNITS if whole >= unit[0]), UNITS[-1])
    return f"{whole // size}{letter}"


def moment_text(moment: datetime | None) -> str:
    """In UTC, to the second."""
    return "-" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
