"""Freshness: from an edit at the source to the moment at which all of what it changed was at the destination.

A newer version of the same field counts as well: an edit that was overtaken before it was carried over has arrived.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from deploy.audit.mapping import FIELDS
from deploy.audit.model import Case, Edit
from deploy.audit.versions import Versions

#: (user, field) to (version, when it was written), in order.
Landings = Mapping[tuple[str, str], list[tuple[int, float]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """Edits since a moment, the seconds each took, and how many of living records are still to come."""

    changes: int
    seconds: tuple[float, ...]
    not_arrived: int


def freshness(case: Case, versions: Versions, since: float | None) -> Freshness:
    landings = _landings(case, versions)
    counted, seconds, not_arrived = 0, [], 0
    for edit, places in _places(case.organization.edits):
        if edit.deletes or not places or (since is not None and edit.at < since):
            continue
        counted += 1
        arrived = [_arrival(landings, edit.user_id, field, version) for field, version in places.items()]
        if None not in arrived:
            seconds.append(max(0.0, max(moment for moment in arrived if moment is not None) - edit.at))
        elif edit.user_id in case.organization.users:
            not_arrived += 1
    return Freshness(changes=counted, seconds=tuple(seconds), not_arrived=not_arrived)


def percentile(values: Sequence[float], share: float) -> float | None:
    """By nearest rank; None of nothing."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)] if values else None


def _places(edits: Sequence[Edit]) -> Iterator[tuple[Edit, Mapping[str, int]]]:
    """Each edit with the fields it changed to something, and the number of the version that it made."""
    numbers: dict[tuple[str, str], tuple[int, str]] = {}
    for edit in edits:
        places: dict[str, int] = {}
        for field in FIELDS if not edit.deletes else ():
            number, before = numbers.get((edit.user_id, field), (-1, None))
            if edit.values[field] != before:
                numbers[edit.user_id, field] = (number + 1, edit.values[field])
                if edit.values[field]:
                    places[field] = number + 1
        yield edit, places


def _landings(case: Case, versions: Versions) -> Landings:
    owners = {c.contact_id: c.user_ids[0] for c in case.organization.contacts if c.user_ids}
    found: dict[tuple[str, str], list[tuple[int, float]]] = defaultdict(list)
    for write in case.writes:
        user_id = write.user_id or owners.get(write.contact_id, "")
        for field, value in write.values.items():
            reached = found[user_id, field][-1][0] if found[user_id, field] else 0
            version = versions.at_or_after(user_id, field, value, reached)
            if version is not None:
                found[user_id, field].append((version, write.at))
    return found


def _arrival(landings: Landings, user_id: str, field: str, version: int) -> float | None:
    return next((at for landed, at in landings.get((user_id, field), ()) if landed >= version), None)
