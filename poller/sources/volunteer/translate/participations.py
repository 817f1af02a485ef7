"""Participations, which two views show: a project date's participants, and a user's own list.

Both must give the same records, byte for byte, or each reading would undo the other's. So a body holds only what both
views have, and an id depends on nothing but the rows of one person at one place: not on the order in which they come,
nor on the view. Facts: volunteer-api 1.5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, count
from typing import Any

from common.domain.errors import RecordInvalid
from common.domain.participations import ANYTIME, Participation
from common.domain.records import Record
from common.domain.resources import PARTICIPATIONS
from poller.sources.volunteer.scopes import DATE, scope_of
from poller.sources.volunteer.translate.fields import Fields

#: What lets its bearer check somebody in: never stored (facts: volunteer-api 1.5).
SECRETS = ("token", "group_token")
REST: Mapping[str, Callable[[Fields, str], str]] = {
    "checked_in_at": Fields.time,
    "checked_out_at": Fields.time,
    "hours": Fields.hours,
    "guests": lambda fields, name: str(fields.whole(name)),
    "status": Fields.text,
    "verified": lambda fields, name: str(fields.truth(name, missing=False)),
}


@dataclass(frozen=True, kw_only=True)
class Place:
    """What the view itself says about its rows; a row says the rest, and goes before it."""

    user_id: str = ""
    project_id: str = ""
    project_date_id: str = ""


def identified(rows: Iterable[Any], place: Place) -> Iterator[tuple[str, Any]]:
    """Each row with its source id, as `common.domain.participations` says; "" for one of which it cannot be told.

    Rows that one person signed up for in one second and one role are told apart by what else both views show.
    """
    taken: set[str] = set()
    for row in sorted(rows, key=_seniority):
        base = _base(row, place)
        if not base:
            yield "", row
            continue
        named = f"{base}:{_told(row, 'role')}"
        numbered = (f"{named}:{number}" for number in count(2))
        source_id = next(each for each in chain((base, named), numbered) if each not in taken)
        taken.add(source_id)
        yield source_id, row


def participation(row: Any, customer_id: str, *, source_id: str, place: Place, answered_at: datetime) -> Record:
    """It has no time of its own, so it is as new as the answer that shows it. Raises RecordInvalid."""
    fields = Fields.of(row, customer_id, PARTICIPATIONS)
    found = Participation(
        user_id=fields.reference("user_id") or place.user_id or fields.identifier("user_id"),
        project_id=fields.reference("project_id") or place.project_id or fields.identifier("project_id"),
        project_date_id=fields.reference("project_date_id") or place.project_date_id,
        role=fields.text("role"),
        guests=fields.whole("guests"),
        status=fields.text("status"),
        signed_up_at=fields.time("signed_up_at"),
        checked_in_at=fields.time("checked_in_at"),
        checked_out_at=fields.time("checked_out_at"),
        hours=fields.hours("hours"),
        verified=fields.truth("verified", missing=False),
    )
    return Record(
        resource=PARTICIPATIONS,
        source_id=source_id,
        updated_at=answered_at,
        body=found.to_body(),
        raw=row,
        scope=scope_of(DATE, found.project_date_id) if found.project_date_id else "",
    )


def without_secrets(row: Any) -> Any:
    return {name: value for name, value in row.items() if name not in SECRETS} if isinstance(row, Mapping) else row


def _base(row: Any, place: Place) -> str:
    """`<place>:<user>`; empty if the row does not tell one of them."""
    user_id = _told(row, "user_id") or place.user_id
    date_id = _told(row, "project_date_id") or place.project_date_id
    project_id = _told(row, "project_id") or place.project_id
    where = date_id or (f"{ANYTIME}{project_id}" if project_id else "")
    return f"{where}:{user_id}" if where and user_id else ""


def _told(row: Any, name: str) -> str:
    """A role or an id as the record will have it; empty if there is none, or it cannot be read."""
    if not isinstance(row, Mapping):
        return ""
    fields = Fields(row, "", PARTICIPATIONS)
    try:
        return fields.text(name) if name == "role" else fields.reference(name)
    except RecordInvalid:
        return ""


def _seniority(row: Any) -> tuple[int, str, str, str]:
    """By sign-up, then role, then the rest; no sign-up comes first, one that cannot be read last."""
    if not isinstance(row, Mapping):
        return (2, "", "", repr(row))
    fields = Fields(row, "", PARTICIPATIONS)
    try:
        signed_up, rank = fields.time("signed_up_at"), 0
    except RecordInvalid:
        signed_up, rank = repr(row.get("signed_up_at")), 1
    return (rank, signed_up, _told(row, "role"), _rest(row))


def _rest(row: Mapping[str, Any]) -> str:
    """Tells rows of one role and second apart in the same way in both views: only by what both show."""
    fields = Fields(row, "", PARTICIPATIONS)
    return "|".join(_readable(fields, name) for name in REST)


def _readable(fields: Fields, name: str) -> str:
    """As the record will have it, so that no spelling matters."""
    try:
        return REST[name](fields, name)
    except RecordInvalid:
        return repr(fields.item.get(name))
