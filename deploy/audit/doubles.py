"""Records without a key of their own that are at the destination twice: notes, tags, attendances, gifts, sign-ups.

A double counts also when it was taken away again: two of them were there at once. Hours of one person may be alike for
two roles on one date, so that attendances are counted against the rows that ever had such hours at the source.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from deploy.audit.facts import decimal
from deploy.audit.report import Finding, Kind

Row = Mapping[str, Any]
#: What makes two records the same, beside the contact and the fields that the request set.
WORDS: Mapping[str, str] = {
    "note": "the same note was made twice on one contact",
    "tag": "the same tag was tied twice to one contact",
    "gift": "the same gift was made twice for one contact",
    "volunteer": "the same person was signed up twice for one opportunity",
    "opportunity": "the same opportunity was made twice",
}
#: Which table of the destination says whether a record is there still.
TABLES: Mapping[str, str] = {
    "note": "notes",
    "tag": "contact_tags",
    "gift": "gifts",
    "volunteer": "volunteers",
    "opportunity": "opportunities",
}


#: How the actions begin that take a record away.
REMOVES = ("remove", "untag")
#: Hours of nobody: what a cancelled participation is set to.
NONE = "0.00"
#: What tells two writes apart beside the contact and the fields, by record.
BESIDE: Mapping[str, tuple[str, ...]] = {
    "tag": ("tag_id",),
    "gift": ("transaction",),
    "volunteer": ("opportunity_id", "individual_id"),
}


def doubles(name: str, organization: Row, journal: Sequence[Row], ours: str) -> Iterator[Finding]:
    """Of one organization's export and the whole journal; `ours` is the source of our references."""
    yield from _made_twice(name, organization["destination"], journal)
    yield from _hours_twice(name, organization, ours)


def _made_twice(name: str, destination: Row, journal: Sequence[Row]) -> Iterator[Finding]:
    """What staff removed makes room for a second one: no request did, and it is not there."""
    there = {(record, row["id"]) for record, table in TABLES.items() for row in destination[table]}
    writes = sorted(_writes(name, journal), key=lambda write: float(write["at"]))
    removed = {
        _id(write): float(write["at"]) for write in writes if str(write["action"]).startswith(("remove", "untag"))
    }
    made: dict[str, Row] = {}
    for write in writes:
        if not write["created"]:
            continue
        before = made.get(_content(write))
        if before is not None and (_id(before) in there or removed.get(_id(before), 0.0) > write["at"]):
            yield _finding(name, write)
        made[_content(write)] = write


def _writes(name: str, journal: Sequence[Row]) -> Iterator[Row]:
    for entry in journal:
        if entry["organization"] == name:
            yield from (write for write in entry["writes"] if write["record"] in TABLES)


def _id(write: Row) -> tuple[str, int]:
    return str(write["record"]), int(write["record_id"])


def _content(write: Row) -> str:
    """What it says, in whatever request it came."""
    beside = [write.get(name) for name in BESIDE.get(write["record"], ())]
    return json.dumps([write["record"], write["contact_id"], write["fields"], beside], sort_keys=True)


def _hours_twice(name: str, organization: Row, ours: str) -> Iterator[Finding]:
    """Rows of one person, at one place, with the same hours, beyond those that had them at the source at any time."""
    users = {
        int(contact["id"]): [str(row["id"]) for row in contact["contactReferences"] if row["source"] == ours]
        for contact in organization["destination"]["contacts"]
    }
    had = _participations_with(organization["source"])
    for (contact_id, place, hours), count in _attended(organization["destination"]).items():
        allowed = max((had[user_id, hours] for user_id in users.get(contact_id, ())), default=count)
        if hours != NONE and allowed and count > allowed:
            explanation = f"{count} rows have the same hours, {allowed} at the source had them"
            entity = f"attendance/{place}/contact/{contact_id}"
            yield Finding(
                organization=name, kind=Kind.DUPLICATE, entity_id=entity, field="hours", explanation=explanation
            )


def _participations_with(source: Row) -> Counter[tuple[str, str]]:
    """By user and hours: how many participations ever had them."""
    rows = (change for change in source["changes"] if change["resource"] == "participations" and change["values"])
    ever = {(str(row["values"]["user_id"]), decimal(row["values"].get("hours")), row["id"]) for row in rows}
    return Counter((user_id, hours) for user_id, hours, _ in ever)


def _attended(destination: Row) -> Counter[tuple[int, str, str]]:
    """By contact, place and hours; a place is an opportunity, or what an import called it and the date."""
    owners = {row["id"]: int(row["contactId"]) for row in destination["volunteers"]}
    direct = [
        (owners[row["volunteerId"]], str(row["volunteerOpportunityId"]), decimal(row.get("hours")))
        for row in destination["attendances"]
        if row["volunteerId"] in owners
    ]
    imported = [
        (int(row["contactId"]), f"{row['volunteerOpportunityName']} {row['date']}", decimal(row["hours"]))
        for row in destination["transaction_attendances"]
    ]
    return Counter([*direct, *imported])


def _finding(name: str, write: Row) -> Finding:
    entity = f"{write['record']}/{write['record_id']}"
    return Finding(
        organization=name, kind=Kind.DUPLICATE, entity_id=entity, field="", explanation=WORDS[write["record"]]
    )
