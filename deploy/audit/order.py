"""Order: over time, no field of a contact goes back to an older version, and no two writes of one entity overlap.

A value is placed in the source's history as early as the writes before it allow, so that one which came twice at the
source is no break when it comes twice at the destination.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise

from deploy.audit.model import Case, Entry, Write
from deploy.audit.report import Finding, Kind
from deploy.audit.versions import Versions


def order_breaks(case: Case, versions: Versions) -> Iterator[Finding]:
    yield from _steps_back(case, versions)
    yield from _overlaps(case)


def repeated_writes(case: Case) -> int:
    """Writes all of whose values the same field of the same contact had been given last; harmless, and a waste."""
    last: dict[tuple[int, str], str] = {}
    repeated = 0
    for write in case.writes:
        given = {(write.contact_id, field): value for field, value in write.values.items()}
        repeated += bool(given) and all(last.get(place) == value for place, value in given.items())
        last.update(given)
    return repeated


def _steps_back(case: Case, versions: Versions) -> Iterator[Finding]:
    reached: dict[tuple[int, str], int] = defaultdict(int)
    owners = _owners(case)
    for write in case.writes:
        user_id = write.user_id or owners.get(write.contact_id)
        for field, value in write.values.items() if user_id else ():
            place = (write.contact_id, field)
            version = versions.at_or_after(user_id or "", field, value, reached[place])
            if version is not None:
                reached[place] = version
            else:
                yield _misplaced(case, write, user_id or "", field, value in versions.of(user_id or "", field))


def _misplaced(case: Case, write: Write, user_id: str, field: str, known: bool) -> Finding:  # noqa: FBT001
    """A value of before is a break of order; one that never was is simply wrong."""
    what = "an older version" if known else "a value that the source never had"
    return Finding(
        organization=case.organization.name,
        kind=Kind.ORDER if known else Kind.WRONG,
        entity_id=user_id,
        field=field,
        explanation=f"a write to contact {write.contact_id} brought {what}",
    )


def _owners(case: Case) -> Mapping[int, str]:
    return {contact.contact_id: contact.user_ids[0] for contact in case.organization.contacts if contact.user_ids}


def _overlaps(case: Case) -> Iterator[Finding]:
    for user_id, entries in _requests_by_user(case).items():
        last = None
        for left, right in pairwise(sorted(entries, key=lambda entry: entry.started_at)):
            last = left if last is None or _end(left) > _end(last) else last
            if right.started_at < _end(last):
                what = f"request {right.seq} began before request {last.seq} had ended"
                yield Finding(
                    organization=case.organization.name,
                    kind=Kind.ORDER,
                    entity_id=user_id,
                    field="",
                    explanation=what,
                )


def _requests_by_user(case: Case) -> Mapping[str, list[Entry]]:
    """Requests that had an effect, dropped connections included; imports are the destination's own doing."""
    owners = _owners(case)
    found: dict[str, list[Entry]] = defaultdict(list)
    for entry in case.entries:
        if entry.changes_state and not entry.is_import:
            unnamed = {owners[write.contact_id] for write in entry.writes if write.contact_id in owners}
            for user_id in entry.user_ids | unnamed:
                found[user_id].append(entry)
    return found


def _end(entry: Entry) -> float:
    return entry.started_at if entry.finished_at is None else entry.finished_at
