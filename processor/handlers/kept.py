"""Campaigns, organizations and form templates: kept in the mirror, and nothing is written of them."""

from __future__ import annotations

from common.domain.events import Event
from processor.handlers.decisions import Decision, Skip


def kept(event: Event) -> Decision:
    """The destination has no counterpart; what hangs on them carries what it needs of them."""
    del event
    return Skip(reason="kept for look-up")
