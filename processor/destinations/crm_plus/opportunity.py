"""An opportunity as the API shows it, and what in it differs from the project or date it stands for.

The API keeps no reference on it, so the description ends with a key of ours: `[Syncfleet project_dates/1011]`.
A blank at the source never erases.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from common.domain.entities import EntityKey
from common.domain.errors import RecordInvalid
from common.domain.projects import Project, ProjectDate
from common.domain.writes import Write
from processor.destinations.crm_plus.payloads import ADDRESS_FIELDS, US_ADDRESS

#: What the API's local times look like (facts: crm-api 1.7).
LOCAL = "%Y-%m-%dT%H:%M:%S"
#: Stands for a zone that the source does not give: the instants are exact in it, and nothing is made up.
NO_ZONE = "UTC"

Happening = Project | ProjectDate


def happening(write: Write) -> Happening:
    assert isinstance(write.desired, Project | ProjectDate)  # noqa: S101 - the handlers give nothing else
    return write.desired


def key_of(entity: EntityKey, reference_source: str) -> str:
    return f"[{reference_source} {entity.resource}/{entity.source_id}]"


def keys_in(description: Any, reference_source: str) -> list[str]:
    """Those of ours, wherever staff have moved them to."""
    return re.findall(rf"\[{re.escape(reference_source)} \w+/[^\]\s]+\]", str(description or ""))


def name_of(shown: Happening) -> str:
    return shown.project_name if isinstance(shown, ProjectDate) else shown.name


def is_active(shown: Happening) -> bool:
    return shown.active and not (isinstance(shown, Project) and shown.draft)


def remembered(shown: Happening) -> dict[str, Any]:
    """What a link keeps: participations take their times from it."""
    starts_at, ends_at = (shown.starts_at, shown.ends_at) if isinstance(shown, ProjectDate) else ("", "")
    return {"name": name_of(shown), "time_zone": shown.time_zone, "starts_at": starts_at, "ends_at": ends_at}


def refuse_invalid(shown: Happening, entity: EntityKey) -> None:
    """Raises RecordInvalid, naming field and mend."""
    for field, mend in _problems(shown):
        raise RecordInvalid(entity.customer_id, entity.resource, field, mend)


def _problems(shown: Happening) -> Iterator[tuple[str, str]]:
    if not name_of(shown):
        field = "project_name" if isinstance(shown, ProjectDate) else "name"
        yield field, "CRM+ takes no opportunity without a name; name the project at the source"
    if shown.time_zone and not _is_zone(shown.time_zone):
        yield "time_zone", "is no known time zone; correct the project's address at the source"
    if isinstance(shown, ProjectDate):
        yield from _wrong_times(shown)


def _wrong_times(date: ProjectDate) -> Iterator[tuple[str, str]]:
    starts, ends = moment(date.starts_at), moment(date.ends_at)
    if starts is None:
        yield "starts_at", "is missing or no time; correct the date at the source"
    if date.ends_at and ends is None:
        yield "ends_at", "is no time; correct the date at the source"
    if starts and ends and ends < starts:
        yield "ends_at", "lies before the start; correct the date at the source"


def moment(text: str) -> datetime | None:
    """An aware time, or None."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read if read.tzinfo else None


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def local(text: str, zone: str) -> datetime:
    """Without a zone, as at the place itself. The text has been checked."""
    return datetime.fromisoformat(text).astimezone(ZoneInfo(zone or NO_ZONE)).replace(tzinfo=None)


def body(shown: Happening, key: str) -> dict[str, Any]:
    """Of a create: only what the source has."""
    fields = {
        "name": name_of(shown),
        **_when(shown),
        "isActive": is_active(shown),
        **_where(shown.address),
        "description": _described(shown.description, key),
    }
    return {**fields, "customFields": dict(shown.custom_fields)} if shown.custom_fields else fields


def _when(shown: Happening) -> dict[str, Any]:
    if isinstance(shown, Project):
        return {"timeZone": shown.time_zone} if shown.time_zone else {}
    times = {"startDateTime": shown.starts_at, "endDateTime": shown.ends_at}
    told = {name: local(text, shown.time_zone).strftime(LOCAL) for name, text in times.items() if text}
    return {**told, "timeZone": shown.time_zone or NO_ZONE}


def _where(address: str) -> dict[str, Any]:
    """The line as the place's name, and in parts where it has the usual form."""
    match = US_ADDRESS.fullmatch(address)
    parts = {name: match[name].strip() for name in ADDRESS_FIELDS if match[name]} if match else {}
    return {"locationName": address, **parts} if address else {}


def _described(text: str, key: str) -> str:
    """Nothing that somebody typed may look like a key of ours: it would be another date's."""
    mark = key.split(" ", 1)[0]
    text = text.replace(mark, "(" + mark[1:])
    return f"{text.strip()}\n\n{key}".strip()


def changes(shown: Happening, key: str, current: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that differ, with their new values; empty if it is as it should be."""
    wanted = body(shown, key)
    wanted.pop("customFields", None)
    if not shown.description.strip():
        wanted["description"] = _keyed(str(current.get("description") or ""), key)
    told = {name: value for name, value in wanted.items() if not _same(name, current.get(name), value)}
    return told | _custom_changes(shown.custom_fields, current.get("customFields"))


def _keyed(there: str, key: str) -> str:
    return there if key in there else f"{there.strip()}\n\n{key}".strip()


def _same(name: str, there: Any, wanted: Any) -> bool:
    if name.endswith("DateTime"):
        return _local_time(there) == _local_time(wanted)
    if isinstance(wanted, bool):
        return (there in (True, "true", "True", 1)) is wanted
    return str("" if there is None else there).strip() == str(wanted).strip()


def _local_time(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value)).replace(tzinfo=None, microsecond=0)
    except ValueError:
        return None


def _custom_changes(wanted: Mapping[str, Any], there: Any) -> dict[str, Any]:
    """All of them as an array, as a PUT takes them (facts: crm-api 1.6), if one of ours differs."""
    rows = _custom_rows(there)
    known = {str(row.get("name")): str(row.get("value") or "") for row in rows}
    if all(known.get(name) == str(value) for name, value in wanted.items()):
        return {}
    shown = {str(row.get("name")): row for row in rows}
    ours = {
        name: {"displayName": name, **shown.get(name, {}), "name": name, "value": value}
        for name, value in wanted.items()
    }
    return {"customFields": list({**shown, **ours}.values())}


def _custom_rows(there: Any) -> Sequence[Mapping[str, Any]]:
    """Reads give an array; an object of values is understood too."""
    if isinstance(there, Mapping):
        return [{"name": name, "value": value} for name, value in there.items()]
    return [row for row in there or [] if isinstance(row, Mapping)]
