"""How things stand, by the sandbox's own word."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deploy.audit.run import behind
from deploy.sandbox.client import SandboxAdmin


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One customer: users at the source, contacts at the destination, and how many are behind."""

    source: int
    destination: int
    behind: int


def look(admin: SandboxAdmin) -> dict[str, Standing]:
    export = admin.export()
    late = behind(export)
    return {
        name: Standing(source=_count(row["source"], "users"), destination=_contacts(row), behind=late[name])
        for name, row in export["organizations"].items()
    }


def is_level(standings: Mapping[str, Standing]) -> bool:
    return not any(standing.behind for standing in standings.values())


def hits(admin: SandboxAdmin) -> dict[str, int]:
    """Faults that happened, by kind."""
    counts: dict[str, int] = {}
    for rule in admin.faults():
        counts[rule["kind"]] = counts.get(rule["kind"], 0) + int(rule["hits"])
    return counts


def _count(row: Mapping[str, Any], name: str) -> int:
    return len(row[name])


def _contacts(row: Mapping[str, Any]) -> int:
    return sum(1 for contact in row["destination"]["contacts"] if not contact["isArchived"])
