"""Participations as sign-ups, and attendances with hours. Many of one opportunity share one reading of its sign-ups.

A second row of a person on one date shares the first one's sign-up and has an attendance of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from common.domain.entities import EntityKey
from common.domain.writes import Answer, Found, Matched, NeedsReview, Preview, Write
from processor.destinations.crm_plus import beside, hours
from processor.destinations.crm_plus.account import Account
from processor.destinations.crm_plus.imported import ImportedHours, is_imported
from processor.destinations.crm_plus.orphans import Orphans
from processor.destinations.crm_plus.reading import nothing_sent
from processor.destinations.crm_plus.signups import ATTENDANCES, VOLUNTEERS, SignUps
from processor.destinations.crm_plus.turn import Turn

#: Participations of one opportunity that share a reading; each takes up to three requests more, one after the other.
SHARE_A_READING = 50


class Attendances:
    """Implements `Shape` for participations."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._signups = SignUps(account)
        self._imported = ImportedHours(account)
        self._orphans = Orphans(account)

    def check(self, write: Write) -> None:
        if not write.is_removal:
            hours.refuse_invalid(write)

    def group(self, write: Write) -> str:
        return self._imported.group(write) if is_imported(write) else beside.opportunity(write)

    def group_limit(self, write: Write) -> int:
        return self._imported.group_limit if is_imported(write) else SHARE_A_READING

    def match(self, writes: Sequence[Write]) -> Mapping[EntityKey, Matched | NeedsReview]:
        del writes  # a sign-up is looked for in the same call that would make it
        return {}

    def apply(self, writes: Sequence[Write]) -> Sequence[Answer]:
        if is_imported(writes[0]):
            return self._imported.apply(writes)
        turn = Turn(self._account, self._signups, beside.opportunity(writes[0]))
        with self._signups.closing(turn.opportunity_id):
            with nothing_sent():
                turn.read_sign_ups(writes)
            return turn.answers(writes)

    def look(self, writes: Sequence[Write], since: datetime) -> Mapping[EntityKey, Found]:
        known = self._orphans.with_parents(writes)
        found = self._imported.look([write for write in known if is_imported(write)], since)
        for opportunity_id, own in _by_opportunity(known).items():
            turn = Turn(self._account, self._signups, opportunity_id)
            with self._signups.closing(opportunity_id):
                turn.read_sign_ups(own)
                found |= {write.entity: there for write in own if (there := turn.found(write)) is not None}
        return found

    def differs(self, write: Write, found: Found) -> bool:
        if found.details.get("outcome_unknown") or is_imported(write):
            return True
        row = found.current.get("attendance")
        if write.is_removal:
            return row is not None and hours.has_hours(row)
        return hours.is_due(write, row) and (row is None or not hours.same(row, hours.body(write)))

    def preview(self, write: Write) -> Sequence[Preview]:
        if is_imported(write):
            return self._imported.preview(write)
        told = [Preview(method="POST", route=ATTENDANCES, body=hours.body(write))] if hours.is_due(write, None) else []
        person = {"contactIndividualId": beside.individual(write)}
        known = write.link is not None or beside.first_row(write) is not None
        return told if known else [Preview(method="POST", route=VOLUNTEERS, body=person), *told]


def _by_opportunity(writes: Sequence[Write]) -> Mapping[str, list[Write]]:
    groups: dict[str, list[Write]] = defaultdict(list)
    for write in writes:
        if not is_imported(write) and beside.opportunity(write):
            groups[beside.opportunity(write)].append(write)
    return groups
