"""Scopes that a walk has skipped, told in its report; kept in the progress, for a walk takes many slices."""

from __future__ import annotations

from dataclasses import replace

from common.domain.checkpoints import Progress
from common.domain.errors import SyncError

#: Characters that the first of them take in a report, well below `runs.ERROR_CHARACTERS`; the rest is counted.
NAMED_CHARACTERS = 400


def note_skipped(progress: Progress, scope: str, error: SyncError) -> Progress:
    named = "; ".join(filter(None, (progress.skipped_named, f"{scope} is left for an hour: {error}")))
    has_room = len(named) <= NAMED_CHARACTERS or not progress.skipped
    first = named[:NAMED_CHARACTERS] if has_room else progress.skipped_named
    return replace(progress, skipped=progress.skipped + 1, skipped_named=first)


def told(progress: Progress) -> str:
    """Empty if there was none."""
    count = f"{progress.skipped} scopes were skipped: " if progress.skipped > 1 else ""
    return count + progress.skipped_named
