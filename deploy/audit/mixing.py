"""Customers kept apart: by the canary in every customer's records, and by whose address was called with whose token."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from deploy.audit.model import Case
from deploy.audit.report import Finding, Kind

Row = Mapping[str, Any]


def mixed(cases: Sequence[Case], export: Row, journal: Sequence[Row]) -> Iterator[Finding]:
    """Both ways: data that came to the wrong account, and an account that was read or written with another's token."""
    yield from _canaries(cases, export, journal)
    yield from _tokens(journal)


def _canaries(cases: Sequence[Case], export: Row, journal: Sequence[Row]) -> Iterator[Finding]:
    """Every organization's records carry its canary; found with another one's, it has been mixed up."""
    canaries = {case.organization.canary.lower() for case in cases}
    any_canary = re.compile("|".join(sorted(map(re.escape, canaries))))
    for case in cases:
        name, foreign = case.organization.name, canaries - {case.organization.canary.lower()}
        for entity, text in _texts(name, export["organizations"][name]["destination"], journal):
            if not foreign.isdisjoint(any_canary.findall(text)):
                yield _finding(name, entity.rpartition(" ")[2], f"{entity} holds data of another organization")


def _texts(name: str, destination: Row, journal: Sequence[Row]) -> Iterator[tuple[str, str]]:
    """What is there, what waits, what was written in between and what was asked for, in lower case."""
    for table, rows in destination.items():
        for row in rows if isinstance(rows, list) else [rows]:
            yield f"{table} {row.get('id', '')}".rstrip(), json.dumps(row, ensure_ascii=False).lower()
    for entry in journal:
        if entry["organization"] == name:
            asked = json.dumps([entry["path"], entry["query"], entry["references"]], ensure_ascii=False).lower()
            yield f"request {entry['seq']}", asked
            for write in entry["writes"]:
                yield (
                    f"a write of {write['record']} {write['record_id']}",
                    json.dumps(write, ensure_ascii=False).lower(),
                )


def _tokens(journal: Sequence[Row]) -> Iterator[Finding]:
    """A request to one customer's address with the token of another has read, or written, the other's account."""
    for entry in journal:
        account, owner = entry.get("account"), entry["organization"]
        if account is not None and owner is not None and account != owner:
            what = f"request {entry['seq']} to the {entry['system']} account of {account} bore the token of {owner}"
            yield _finding(account, str(entry["seq"]), what)


def _finding(organization: str, entity_id: str, what: str) -> Finding:
    return Finding(organization=organization, kind=Kind.MIXED, entity_id=entity_id, field="", explanation=what)
