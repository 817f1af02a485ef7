"""What an attendance should say, and which of a sign-up's attendances is whose.

The API keeps no key of ours on an attendance, and one that is sent twice counts twice. So the seconds of its start and
end, which nobody reads, carry a mark made of the participation's id: ours are known by it, whatever became of the
answer and whatever else has changed since. Times are exact to the minute.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from common.domain.errors import RecordInvalid
from common.domain.participations import Participation, base_id
from common.domain.writes import Write
from processor.destinations.crm_plus import beside
from processor.destinations.crm_plus.opportunity import NO_ZONE, moment

#: Pairs of seconds there are for a mark, without (0, 0): that is what a person who types a time in leaves.
MARKS = 60 * 60 - 1
WIRE = "%Y-%m-%dT%H:%M:%SZ"

Row = Mapping[str, Any]


def mark_of(source_id: str) -> tuple[int, int]:
    """Seconds of the start, and of the end."""
    digest = hashlib.blake2b(source_id.encode(), digest_size=8).digest()
    return divmod(int.from_bytes(digest, "big") % MARKS + 1, 60)


def refuse_invalid(write: Write) -> None:
    """Raises RecordInvalid, naming field and mend."""
    for field, mend in _problems(beside.participation(write), beside.happened(write)):
        raise RecordInvalid(write.entity.customer_id, write.entity.resource, field, mend)


def _problems(row: Participation, date: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if _decimal(row.hours) is None:
        yield "hours", "is no number of hours; correct it at the source"
    for field in ("signed_up_at", "checked_in_at", "checked_out_at"):
        text = getattr(row, field)
        if text and moment(text) is None:
            yield field, "is no time; correct it at the source"
    came, left = moment(row.checked_in_at), moment(row.checked_out_at)
    if came and left and left < came:
        yield "checked_out_at", "lies before the check-in; correct it at the source"
    if attended(row) and _start(row, date) is None:
        yield "checked_in_at", "nothing tells when the hours were worked; check the person in at the source"


def _decimal(text: str) -> Decimal | None:
    try:
        hours = Decimal(text)
    except InvalidOperation:
        return None
    return hours if hours.is_finite() and hours >= 0 else None


def attended(row: Participation) -> bool:
    return bool(row.checked_in_at) or row.worked_hours > 0


def is_due(write: Write, row: Row | None) -> bool:
    """One that is there is kept right, also down to no hours."""
    return row is not None or attended(beside.participation(write))


def body(write: Write) -> dict[str, Any]:
    """Of an attendance. The participation has been checked."""
    row, date = beside.participation(write), beside.happened(write)
    start, end = _span(row, date)
    first, last = mark_of(write.entity.source_id)
    start, end = start.replace(second=first, microsecond=0), end.replace(second=last, microsecond=0)
    if end <= start:
        end += timedelta(minutes=1)
    return {
        "timeZone": str(date.get("time_zone") or NO_ZONE),
        "hours": float(row.worked_hours),
        "startDateTimeUtc": start.strftime(WIRE),
        "endDateTimeUtc": end.strftime(WIRE),
    }


def _start(row: Participation, date: Mapping[str, Any]) -> datetime | None:
    texts = (row.checked_in_at, str(date.get("starts_at") or ""), row.signed_up_at)
    return next((found for text in texts if (found := moment(text))), None)


def _span(row: Participation, date: Mapping[str, Any]) -> tuple[datetime, datetime]:
    """From check-in to check-out; what is missing is told by the date, or by the hours."""
    start = (_start(row, date) or datetime.min.replace(tzinfo=UTC)).astimezone(UTC)
    worked = timedelta(hours=float(row.worked_hours))
    planned = None if row.checked_in_at else moment(str(date.get("ends_at") or ""))
    end = moment(row.checked_out_at) or planned or start + worked
    return start, max(end.astimezone(UTC), start)


def zeroed(row: Row) -> dict[str, Any]:
    """The attendance as it is, without hours."""
    return {**row, "hours": 0}


def has_hours(row: Row) -> bool:
    return (_decimal(str(row.get("hours"))) or Decimal(0)) > 0


def same(row: Row, wanted: Mapping[str, Any]) -> bool:
    """Stamps may lack a zone and hours may be text (facts: crm-api 1.2)."""
    times = ("startDateTimeUtc", "endDateTimeUtc")
    return _decimal(str(row.get("hours"))) == _decimal(str(wanted["hours"])) and all(
        _utc(row.get(name)) == _utc(wanted[name]) for name in times
    )


def _utc(value: Any) -> datetime | None:
    try:
        read = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    known = read if read.tzinfo else read.replace(tzinfo=UTC)
    return known.astimezone(UTC).replace(microsecond=0)


def own(rows: Sequence[Row], write: Write, *, others: Iterable[str] = ()) -> Row | None:
    """The participation's attendance: by its id, by its mark, and of a person's first row also one that staff typed
    in, if the source has hours for it: that it has none does not undo what staff know. `others` are ids that belong to
    other rows of the person.
    """
    known = str(write.link.details.get("attendance_id") or "") if write.link is not None else ""
    source_id, taken = write.entity.source_id, set(others)
    free = sorted((row for row in rows if str(row["id"]) not in taken), key=lambda row: int(row["id"]))
    by_id = [row for row in free if str(row["id"]) == known]
    marked = [row for row in free if _mark(row) == mark_of(source_id)]
    typed_in = [row for row in free if _mark(row) == (0, 0)] if _takes_over(write) else []
    return next(iter(by_id + marked + typed_in), None)


def _takes_over(write: Write) -> bool:
    is_first = base_id(write.entity.source_id) == write.entity.source_id
    return is_first and not write.is_removal and attended(beside.participation(write))


def _mark(row: Row) -> tuple[int, int] | None:
    start, end = _utc(row.get("startDateTimeUtc")), _utc(row.get("endDateTimeUtc"))
    return (start.second, end.second) if start and end else (0, 0) if not (start or end) else None
