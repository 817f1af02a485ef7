"""Whether the state follows from the records of how it came about: CRM+ from the journal, the source from its logs.

Each record of CRM+ must be as the last journal entry that touched it left it, or as staff did, who are in no entry.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from deploy.audit.report import Finding
from deploy.audit.seals import chained, digest, record_finding

Row = Mapping[str, Any]
#: By the kind of a record: the lists of the export that hold them.
TABLES: Mapping[str, tuple[str, ...]] = {
    "contact": ("contacts",),
    "tag": ("contact_tags",),
    "note": ("notes",),
    "opportunity": ("opportunities",),
    "volunteer": ("volunteers",),
    "attendance": ("attendances", "transaction_attendances"),
    "gift": ("gifts",),
}
#: What only staff make, each list as a whole.
DEFINITIONS = ("tags", "projects", "custom_fields")
#: Fields of a user that the source's history tells.
TOLD = ("first_name", "last_name", "email", "phone", "address", "birthday", "gender")
#: By resource of the log: the list of the export that holds its rows.
LOGGED: Mapping[str, str] = {
    "projects": "projects",
    "project_dates": "dates",
    "groups": "groups",
    "campaigns": "campaigns",
    "forms": "forms",
    "form_completions": "completions",
    "certificates": "certificates",
    "earned_certificates": "earned",
}


def unexplained(journal: Sequence[Row], export: Row, _seal: Row) -> Iterator[Finding]:
    entries = {row.get("seq"): row for row in journal}
    for name, organization in export["organizations"].items():
        yield from _destination(name, organization, entries)
        yield from _source(name, organization["source"])


def _destination(name: str, organization: Row, entries: Mapping[Any, Row]) -> Iterator[Finding]:
    there, proofs = dict(_records(organization["destination"])), organization["proofs"]
    for key in sorted(there.keys() | proofs.keys()):
        found = digest(there[key]) if key in there else None
        proof = proofs.get(key, {"digest": None, "by": 0})
        if found != proof["digest"]:
            yield record_finding(name, key, "it is not as it was last left")
        elif proof["by"] and not _left_it(entries.get(proof["by"]), name, key, found):
            yield record_finding(name, key, "no journal entry left it as it is")


def _left_it(entry: Row | None, name: str, key: str, found: str | None) -> bool:
    touched = (entry or {}).get("touched") or {}
    return entry is not None and entry["organization"] == name and key in touched and touched[key] == found


def _records(destination: Row) -> Iterator[tuple[str, object]]:
    for kind, tables in TABLES.items():
        for table in tables:
            yield from ((f"{kind}/{row['id']}", row) for row in destination[table])
    for kind, table in (("held", "held"), ("held_gift", "held_gifts")):
        lines: dict[str, list[Row]] = defaultdict(list)
        for row in destination[table]:
            lines[f"{kind}/{row['submission']}"].append({"source": row["source"], "item": row["item"]})
        yield from lines.items()
    for table in DEFINITIONS:
        yield f"definitions/{table}", destination[table]


def _source(name: str, source: Row) -> Iterator[Finding]:
    for log in ("history", "changes"):
        if not chained(source[log], source["seals"][log]):
            yield record_finding(name, log, "the log of the source's edits is not the one that was written")
    yield from _users(name, source)
    yield from _rows(name, source)


def _users(name: str, source: Row) -> Iterator[Finding]:
    told: dict[str, Row] = {}
    for edit in source["history"]:
        told[str(edit["user_id"])] = edit["values"]
    for user_id in sorted(told.keys() | source["users"].keys()):
        user = source["users"].get(user_id)
        shown = {} if user is None else {field: user.get(field) for field in TOLD}
        if shown != told.get(user_id):
            yield record_finding(name, f"users/{user_id}", "no edit in the history made it what it is")


def _rows(name: str, source: Row) -> Iterator[Finding]:
    """Of everything but users, by the whole row."""
    told: dict[str, Row] = {}
    for change in source["changes"]:
        key = f"{change['resource']}/{change['id']}"
        told[key] = change["values"]
        if change["kind"] == "delete":
            del told[key]
    there = dict(_logged(source))
    for key in sorted(told.keys() | there.keys()):
        if there.get(key) != told.get(key):
            yield record_finding(name, key, "no edit in the log made it what it is")


def _logged(source: Row) -> Iterator[tuple[str, Row]]:
    for resource, table in LOGGED.items():
        for row in source[table]:
            yield f"{resource}/{row['id']}", {field: value for field, value in row.items() if field != "members"}
    for rows in source["participations"].values():
        yield from ((f"participations/{row['id']}", row) for row in rows)
    for group in source["groups"]:
        for user_id in group["members"]:
            key = f"{group['id']}:{user_id}"
            yield f"group_members/{key}", {"id": key, "group_id": group["id"], "user_id": user_id}
