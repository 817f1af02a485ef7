"""The contact that a write concerns."""

from __future__ import annotations

from common.domain.resources import USERS
from common.domain.writes import Write
from processor.destinations.crm_plus.beside import parent


def contact_of(write: Write) -> str:
    """Its id: of the person as linked now, else as it was when written; empty if neither is known.

    A removal hangs on nobody any more, so it is known of those that were linked.
    """
    person = parent(write, USERS)
    if person is not None:
        return person.destination_id
    return str(write.link.details.get("contact_id") or "") if write.link else ""


def as_sent(row_id: str) -> int | str:
    """An id as the API spells it: a number, unless it is none."""
    return int(row_id) if row_id.isdecimal() else row_id
