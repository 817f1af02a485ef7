"""A customer's backfill is complete: each of its resources was read to its end once."""

from __future__ import annotations

#: In logs and in the customer's history.
ACTION = "backfill.completed"
#: Who says so there.
ACTOR = "poller"


def told_of(resource: str) -> str:
    """In the history: `resource` was read at last."""
    return f"{resource} was the last of all: from here on it is polled"
