"""Being asked to stop."""

from __future__ import annotations


def never() -> bool:
    """For whatever nobody asks to stop."""
    return False
