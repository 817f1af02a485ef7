"""What the destination shows besides people, as facts: read from the sandbox's state alone."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from deploy.audit.facts import Fact, decimal, total_text

Row = Mapping[str, Any]


class Shown:
    """One organization's destination. `ours` is the source of our references, and stands in our marks."""

    def __init__(self, destination: Row, ours: str) -> None:
        self._destination = destination
        self._ours = ours
        self._mark = re.compile(rf"\[{re.escape(ours)} (\w+)/([^\]]+)\]")
        self._users = self._users_by_contact()
        self._places = self._places_by_opportunity()

    def facts(self) -> Iterator[Fact]:
        yield from self._opportunities()
        yield from self._attendances()
        yield from self._tags()
        yield from self._notes()

    def doubled_sign_ups(self) -> Iterator[str]:
        """`<place>:<user>` of people who are signed up more than once."""
        seen: dict[str, int] = defaultdict(int)
        for row in self._destination["volunteers"]:
            for key in self._keys(row):
                seen[key] += 1
        yield from (key for key, count in seen.items() if count > 1)

    def keys_by_attendance(self) -> Mapping[str, str]:
        """Attendance id to `<place>:<user>`."""
        keys = {row["id"]: next(iter(self._keys(row)), "") for row in self._destination["volunteers"]}
        return {str(row["id"]): keys.get(row["volunteerId"], "") for row in self._destination["attendances"]}

    def _users_by_contact(self) -> Mapping[int, Sequence[str]]:
        """Of contacts that are not archived."""
        return {
            int(contact["id"]): [str(row["id"]) for row in contact["contactReferences"] if row["source"] == self._ours]
            for contact in self._destination["contacts"]
            if not contact["isArchived"]
        }

    def _marked(self, text: object) -> tuple[str, str] | None:
        found = self._mark.search(str(text or ""))
        return (found[1], found[2]) if found else None

    def _opportunities(self) -> Iterator[Fact]:
        for row in self._destination["opportunities"]:
            mark = self._marked(row.get("description"))
            if mark is not None:
                fields = {"name": str(row.get("name")), "starts_at": start_of(row)}
                yield Fact(resource=mark[0], key=mark[1], fields=fields)

    def _places_by_opportunity(self) -> Mapping[Any, str]:
        """Opportunity id to the date or the Anytime project that it is of."""
        marks = {row["id"]: self._marked(row.get("description")) for row in self._destination["opportunities"]}
        named = {opportunity_id: mark for opportunity_id, mark in marks.items() if mark}
        return {each: key if kind == "project_dates" else f"project-{key}" for each, (kind, key) in named.items()}

    def _keys(self, volunteer: Row) -> Sequence[str]:
        place = self._places.get(volunteer["volunteerOpportunityId"])
        users = self._users.get(int(volunteer["contactId"]), ())
        return [f"{place}:{user_id}" for user_id in users] if place else []

    def _attendances(self) -> Iterator[Fact]:
        hours: dict[str, list[str]] = {}
        volunteers = {row["id"]: row for row in self._destination["volunteers"]}
        for row in volunteers.values():
            for key in self._keys(row):
                hours.setdefault(key, [])
        for row in self._destination["attendances"]:
            for key in self._keys(volunteers[row["volunteerId"]]) if row["volunteerId"] in volunteers else ():
                hours[key].append(decimal(row.get("hours")))
        for key, values in hours.items():
            yield Fact(resource="participations", key=key, fields={"hours": total_text(values)})

    def _tags(self) -> Iterator[Fact]:
        names = {row["id"]: row["tagName"] for row in self._destination["tags"]}
        for row in self._destination["contact_tags"]:
            for user_id in self._users.get(int(row["contactId"]), ()):
                yield Fact(resource="tag", key=user_id, fields={"tag": names.get(row["tagId"], "")})

    def _notes(self) -> Iterator[Fact]:
        for row in self._destination["notes"]:
            mark = self._marked(row.get("note"))
            if mark is not None and int(row["contactId"]) in self._users:
                yield Fact(resource=mark[0], key=mark[1], fields={"text": str(row["note"])})


def start_of(opportunity: Row) -> str:
    """Its start in UTC; times are local, with the zone beside."""
    text = opportunity.get("startDateTime")
    if not text:
        return ""
    try:
        moment = datetime.fromisoformat(str(text))
        zone = ZoneInfo(str(opportunity.get("timeZone") or "UTC"))
    except (ValueError, KeyError):
        return f"unreadable: {text}"
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC).isoformat()
