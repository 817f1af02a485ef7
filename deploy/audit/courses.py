"""The course of opportunities and notes: no later write of one tells an older version than an earlier write did.

Field by field, as with contacts: a record is mapped from several of the source, which are read one after the other.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from deploy.audit.facts import day, instant
from deploy.audit.model import Case, RecordWrite
from deploy.audit.report import Finding, Kind
from deploy.audit.shown import start_of

Row = Mapping[str, Any]
#: (resource, id) and field to the values it had at the source, in order.
Versions = Mapping[tuple[str, str, str], Sequence[str]]
#: The records of the destination whose text carries our mark, and the field that is the text.
MARKED: Mapping[str, tuple[str, str, str]] = {
    "opportunity": ("opportunities", "description", "description"),
    "note": ("notes", "note", "note"),
}


def steps_back(case: Case, row: Row, ours: str) -> Iterator[Finding]:
    """`row`: the organization's export; `ours`: the source of our references, which stands in our marks."""
    versions = _versions(row["source"])
    marks = _Marks(row["destination"], ours)
    reached: dict[tuple[str, str, str], int] = defaultdict(int)
    for write in _writes(case):
        entity = marks.of(write)
        for place, told in _told(write, entity, versions) if entity else ():
            later = [at for at in told if at >= reached[place]]
            if later:
                reached[place] = later[0]
            elif told:
                what = f"a write of {write.record} {write.record_id} brought an older version"
                yield _finding(case, f"{place[0]}/{place[1]}", place[2], what)


class _Marks:
    """Whose each record is: by the mark in what was written, else by the one in what is there now."""

    def __init__(self, destination: Row, ours: str) -> None:
        self._mark = re.compile(rf"\[{re.escape(ours)} (\w+)/([^\]]+)\]")
        self._there = {
            (record, str(row["id"])): str(row.get(field) or "")
            for record, (table, field, _) in MARKED.items()
            for row in destination[table]
        }

    def of(self, write: RecordWrite) -> tuple[str, str] | None:
        _, _, field = MARKED[write.record]
        texts = (write.fields.get(field, ""), self._there.get((write.record, write.record_id), ""))
        found = next((match for match in map(self._mark.search, texts) if match), None)
        return (found[1], found[2]) if found else None


def _writes(case: Case) -> Iterator[RecordWrite]:
    writes = [write for entry in case.entries for write in entry.others if write.record in MARKED and write.fields]
    yield from sorted(writes, key=lambda write: write.at)


def _told(
    write: RecordWrite, entity: tuple[str, str], versions: Versions
) -> Iterator[tuple[tuple[str, str, str], list[int]]]:
    """Each field of the entity with the numbers of the versions that the write may have told."""
    for place, values in versions.items():
        if place[:2] == entity:
            told = _shown(write, place[2])
            yield place, [number for number, value in enumerate(values) if told is not None and _is(value, told)]


def _shown(write: RecordWrite, field: str) -> str | None:
    """What the write said of the field; None if nothing."""
    if write.record == "note":
        return write.fields.get("note")
    if field == "starts_at":
        start = {"startDateTime": write.fields.get("start"), "timeZone": write.fields.get("time_zone")}
        return start_of(start) if start["startDateTime"] else None
    return write.fields.get(field)


def _is(value: str, told: str) -> bool:
    """A note tells a value somewhere in its text."""
    return value == told or ("[" in told and bool(value) and value in told)


def _versions(source: Row) -> Versions:
    found: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    projects = _Projects()
    for change in source["changes"]:
        if change["kind"] != "delete":
            for resource, record_id, field, value in _fields(change, projects):
                if not found[resource, record_id, field] or found[resource, record_id, field][-1] != value:
                    found[resource, record_id, field].append(value)
    return found


class _Projects:
    """An opportunity has the name of its date's project."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.dates: dict[str, list[str]] = defaultdict(list)


def _fields(change: Row, projects: _Projects) -> Iterator[tuple[str, str, str, str]]:
    """Resource, id, field and value of everything that the change sets at the destination."""
    values, resource, record_id = change["values"], change["resource"], change["id"]
    if resource == "projects":
        projects.names[record_id] = str(values["name"])
        yield resource, record_id, "name", projects.names[record_id]
        yield from (("project_dates", date, "name", projects.names[record_id]) for date in projects.dates[record_id])
    elif resource == "project_dates":
        projects.dates[str(values["project_id"])].append(record_id)
        yield resource, record_id, "name", projects.names.get(str(values["project_id"]), "")
        yield resource, record_id, "starts_at", instant(values["starts_at"])
    elif resource == "form_completions" and isinstance(values["answers"], list):
        for answer in values["answers"]:
            yield resource, record_id, f"answer {answer['field_id']}", str(answer["value"])
    elif resource == "earned_certificates" and values["expires_at"] is not None:
        yield resource, record_id, "expires", day(values["expires_at"])


def _finding(case: Case, entity_id: str, field: str, what: str) -> Finding:
    return Finding(
        organization=case.organization.name, kind=Kind.ORDER, entity_id=entity_id, field=field, explanation=what
    )
