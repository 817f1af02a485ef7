"""The three spellings of a time that have been seen (facts: volunteer-api 1.8), and days."""

from __future__ import annotations

from datetime import UTC, date, datetime


def read_time(text: str) -> datetime:
    """With an offset, with `Z` and fractions, or bare, which means UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("lies outside the years that a time can have in UTC") from None


def canonical(moment: datetime) -> str:
    """As canonical records hold it: whole seconds, so that a view that tells fractions shows no change."""
    return moment.isoformat(timespec="seconds")


def read_day(text: str) -> str:
    """ISO date of a date, or of a time that begins with one. Raises ValueError."""
    return date.fromisoformat(text[:10]).isoformat()
