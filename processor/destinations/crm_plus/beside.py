"""What a participation hangs on, as its write carries it: the links of its person, opportunity and first row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.domain.participations import Participation
from common.domain.resources import PARTICIPATIONS, PROJECT_DATES, PROJECTS, USERS
from common.domain.writes import Link, Write
from processor.destinations.crm_plus.module import is_virtual


def participation(write: Write) -> Participation:
    assert isinstance(write.desired, Participation)  # noqa: S101 - the handler gives nothing else
    return write.desired


def parent(write: Write, *resources: str) -> Link | None:
    return next((link for entity, link in write.parents.items() if entity.resource in resources), None)


def place(write: Write) -> Link | None:
    """The link of its opportunity."""
    return parent(write, PROJECT_DATES, PROJECTS)


def happened(write: Write) -> Mapping[str, Any]:
    """What the link of its opportunity keeps: name, times, zone."""
    link = place(write)
    return link.details if link is not None else {}


def opportunity(write: Write) -> str:
    """Of what is written already, where it is; else where it belongs. Empty: a removal of what nobody has seen."""
    if write.link is not None:
        return str(write.link.details.get("opportunity_id") or "")
    link = place(write)
    return link.destination_id if link is not None else ""


def first_row(write: Write) -> Link | None:
    """Of a second row of a person on one date: the first one's."""
    return parent(write, PARTICIPATIONS)


def known_sign_up(write: Write) -> str | None:
    """Its own, or the first row's. None: not known, or that one was imported, which leaves no sign-up."""
    link = write.link or first_row(write)
    return None if link is None or is_virtual(link.destination_id) else link.destination_id


def others(write: Write) -> list[str]:
    first = first_row(write)
    return [str(first.details["attendance_id"])] if first is not None and first.details.get("attendance_id") else []


def individual(write: Write) -> str:
    person = parent(write, USERS)
    return str(person.details.get("individual_id") or "") if person is not None else ""
