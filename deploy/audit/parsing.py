"""From the sandbox's JSON to the types of `model`. An export that lacks a part raises KeyError: nothing is guessed."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from deploy.audit.mapping import FIELDS, SOURCE_FIELDS, expected_of, shown_by, written
from deploy.audit.model import Case, Contact, Edit, Entry, Organization, RecordWrite, User, Write

#: The kinds of route by which a body waits for an import; such a request writes, though later.
SUBMISSIONS = ("/api/Contact/Transaction", "/api/Contact/Batch")


def parse_cases(export: Mapping[str, Any], journal: Iterable[Mapping[str, Any]], ours: str) -> list[Case]:
    """One case per organization. `ours` is the source of our references."""
    organizations = parse_organizations(export, ours)
    entries: dict[str, list[Entry]] = {organization.name: [] for organization in organizations}
    for row in journal:
        if row["organization"] in entries:
            entries[row["organization"]].append(parse_entry(row, ours))
    return [Case(organization=row, entries=tuple(entries[row.name])) for row in organizations]


def parse_organizations(export: Mapping[str, Any], ours: str) -> list[Organization]:
    return [_organization(name, row, ours) for name, row in export["organizations"].items()]


def _organization(name: str, row: Mapping[str, Any], ours: str) -> Organization:
    source, destination, settings = row["source"], row["destination"], row["settings"]
    return Organization(
        name=name,
        canary=row["canary"],
        volunteer_requests_per_minute=int(settings["volunteer_requests_per_minute"]),
        crm_requests_per_hour=int(settings["crm_requests_per_hour"]),
        users={str(user_id): _user(str(user_id), user) for user_id, user in source["users"].items()},
        deleted=frozenset(map(str, source["deleted"])),
        edits=tuple(_edit(edit) for edit in source["history"]),
        history_is_whole=is_whole([edit["seq"] for edit in source["history"]]),
        contacts=tuple(_contact(contact, ours) for contact in destination["contacts"]),
        held=len(destination["held"]),
    )


def is_whole(numbers: Sequence[int]) -> bool:
    """Whether these count from 1 without a gap."""
    return not numbers or (numbers[0] == 1 and all(right == left + 1 for left, right in pairwise(numbers)))


def _user(user_id: str, user: Mapping[str, Any]) -> User:
    hidden = set(user.get("omitted", ()))
    expected = expected_of(user)
    return User(
        user_id=user_id, expected={name: expected[name] for name in FIELDS if SOURCE_FIELDS[name] not in hidden}
    )


def _edit(row: Mapping[str, Any]) -> Edit:
    deletes = row["kind"] == "delete"
    values = {} if deletes else expected_of(row["values"])
    return Edit(user_id=str(row["user_id"]), at=float(row["at"]), deletes=deletes, values=values)


def _contact(contact: Mapping[str, Any], ours: str) -> Contact:
    references = [(row["source"], str(row["id"])) for row in contact["contactReferences"]]
    shown = shown_by(contact)
    return Contact(
        contact_id=int(contact["id"]),
        user_ids=_ours(references, ours),
        archived=bool(contact["isArchived"]),
        shown=shown,
        email=shown["email"],
    )


def parse_entry(row: Mapping[str, Any], ours: str) -> Entry:
    writes = tuple(_write(write, ours) for write in row["writes"] if write["record"] == "contact")
    is_import = row["method"] == "IMPORT"
    submits = row["route"] in SUBMISSIONS and bool(row["references"]) and row["method"] == "POST"
    concerned = {write.user_id for write in writes if write.user_id}
    if submits:
        concerned.update(_ours(row["references"], ours))
    return Entry(
        seq=int(row["seq"]),
        system=row["system"],
        organization=row["organization"],
        is_import=is_import,
        changes_state=bool(writes) or submits,
        started_at=float(row["started_at"]),
        finished_at=row["finished_at"],
        status=row["status"],
        fault=row["fault"],
        user_ids=frozenset(concerned),
        writes=writes,
        others=tuple(_other(write) for write in row["writes"] if write["record"] != "contact"),
    )


def _other(row: Mapping[str, Any]) -> RecordWrite:
    fields = {name: str(value) for name, value in row["fields"].items()}
    return RecordWrite(record=row["record"], record_id=str(row["record_id"]), at=float(row["at"]), fields=fields)


def _write(row: Mapping[str, Any], ours: str) -> Write:
    own = _ours([row["reference"]] if row["reference"] else [], ours)
    return Write(
        contact_id=int(row["contact_id"]),
        user_id=own[0] if own else None,
        at=float(row["at"]),
        values=written(row["fields"]),
    )


def _ours(references: Iterable[Sequence[Any]], ours: str) -> tuple[str, ...]:
    return tuple(str(key) for source, key in references if source == ours)
