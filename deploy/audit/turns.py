"""Order of what is no contact: no two writes of one record overlap, and nothing goes back to an older value."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from deploy.audit.courses import steps_back
from deploy.audit.facts import decimal, place
from deploy.audit.model import Case, Entry, RecordWrite
from deploy.audit.report import Finding, Kind
from deploy.audit.shown import Shown

#: Hours of nobody: what a cancelled participation is set to, at whatever time.
NONE = "0.00"


def breaks(case: Case, row: Mapping[str, Any], ours: str) -> Iterator[Finding]:
    """`row`: the organization's export."""
    yield from _overlaps(case)
    yield from _hours_back(case, row, ours)
    yield from steps_back(case, row, ours)


def _overlaps(case: Case) -> Iterator[Finding]:
    """Imports are the destination's own doing."""
    found: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in case.entries:
        for place_ in {(write.record, write.record_id) for write in entry.others} if not entry.is_import else ():
            found[place_].append(entry)
    for (record, record_id), entries in found.items():
        longest = None
        for left, right in pairwise(sorted(entries, key=lambda entry: entry.started_at)):
            longest = left if longest is None or _end(left) > _end(longest) else longest
            if right.started_at < _end(longest):
                what = f"request {right.seq} began before request {longest.seq} had ended"
                yield _finding(case, f"{record}/{record_id}", "", what)


def _end(entry: Entry) -> float:
    """One that is still being answered has set nothing yet."""
    return entry.started_at if entry.finished_at is None else entry.finished_at


def _hours_back(case: Case, row: Mapping[str, Any], ours: str) -> Iterator[Finding]:
    """Of people with one row on a date: for several, nobody can tell whose an attendance is."""
    versions = _versions(row["source"])
    keys = Shown(row["destination"], ours).keys_by_attendance()
    for record_id, writes in _by_attendance(case).items():
        known = versions.get(keys.get(record_id, ""), [])
        reached = 0
        for value in (decimal(write.fields["hours"]) for write in writes) if len(known) > 0 else ():
            later = next((at for at in range(reached, len(known)) if known[at] == value), None)
            if later is None and value != NONE:
                yield _finding(case, f"participations/{keys[record_id]}", "hours", "older hours came after newer ones")
            reached = reached if later is None else later


def _by_attendance(case: Case) -> Mapping[str, Sequence[RecordWrite]]:
    found: dict[str, list[RecordWrite]] = defaultdict(list)
    writes = (write for entry in case.entries for write in entry.others)
    for write in sorted(writes, key=lambda write: write.at):
        if write.record == "attendance" and "hours" in write.fields:
            found[write.record_id].append(write)
    return found


def _versions(source: Mapping[str, Any]) -> Mapping[str, Sequence[str]]:
    """`<place>:<user>` to the hours it had, in order; without those of people with several rows there."""
    found: dict[str, list[str]] = defaultdict(list)
    several: set[str] = set()
    for change in source["changes"]:
        if change["resource"] != "participations" or change["kind"] == "delete":
            continue
        values = change["values"]
        key = f"{place(values)}:{values['user_id']}"
        if change["id"] != key:
            several.add(key)
        found[key].append(decimal(values["hours"]))
    return {key: hours for key, hours in found.items() if key not in several}


def _finding(case: Case, entity_id: str, field: str, what: str) -> Finding:
    return Finding(
        organization=case.organization.name, kind=Kind.ORDER, entity_id=entity_id, field=field, explanation=what
    )
