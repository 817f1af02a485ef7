"""Everything but people, as facts: what the source has, and what the destination must show for it, written down again.

A fact has a resource, an id and fields. Hours are compared per person and date, for the destination knows no roles.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that is, or must be, at the destination."""

    resource: str
    key: str
    fields: Mapping[str, str]


def expected(source: Row, *, tags: Iterable[str]) -> Iterator[Fact]:
    """What must be there. Groups and certificates without a tag of their name at the destination are left out: a tag
    cannot be made, so these are dead letters.
    """
    known_tags, users = set(tags), set(map(str, source["users"]))
    yield from _opportunities(source)
    yield from _attendances(source, users)
    yield from _memberships(source, users, known_tags)
    yield from _completions(source, users)
    yield from _earned(source, users, known_tags)


def _opportunities(source: Row) -> Iterator[Fact]:
    projects = {row["id"]: row for row in source["projects"]}
    for date in source["dates"]:
        fields = {"name": projects[date["project_id"]]["name"], "starts_at": instant(date["starts_at"])}
        yield Fact(resource="project_dates", key=str(date["id"]), fields=fields)
    for project in projects.values():
        if project["anytime"]:
            yield Fact(resource="projects", key=str(project["id"]), fields={"name": project["name"]})


def _attendances(source: Row, users: set[str]) -> Iterator[Fact]:
    hours: dict[str, list[str]] = defaultdict(list)
    for user_id, rows in source["participations"].items():
        for row in rows if str(user_id) in users else ():
            hours[f"{place(row)}:{user_id}"].append(decimal(row["hours"]))
    for key, values in hours.items():
        yield Fact(resource="participations", key=key, fields={"hours": total_text(values)})


def place(row: Row) -> str:
    """The date, or the Anytime project."""
    date_id = row["project_date_id"]
    return f"project-{row['project_id']}" if date_id is None else str(date_id)


def total_text(hours: Iterable[str]) -> str:
    """The hours that count, in order: those of nobody and of those who did not come do not."""
    return ", ".join(sorted(value for value in hours if value != "0.00"))


def decimal(value: object) -> str:
    """Two decimals; what is no number counts as none."""
    try:
        return f"{Decimal(str(value)):.2f}"
    except InvalidOperation:
        return "0.00"


def _memberships(source: Row, users: set[str], tags: set[str]) -> Iterator[Fact]:
    """A renamed group keeps the tag of the name it was first seen with."""
    names = first_names(source, "groups")
    for group in source["groups"]:
        tag = names.get(str(group["id"]), group["name"])
        for user_id in group["members"] if tag in tags else ():
            if str(user_id) in users:
                yield Fact(resource="group_members", key=f"{group['id']}:{user_id}", fields={"tag": tag})


def first_names(source: Row, resource: str) -> Mapping[str, str]:
    """By id, the name that each had when it was made."""
    made = [row for row in source.get("changes", ()) if row["resource"] == resource and row["kind"] == "create"]
    return {str(row["id"]): row["values"]["name"] for row in made}


def _completions(source: Row, users: set[str]) -> Iterator[Fact]:
    for row in source["completions"]:
        if str(row["user_id"]) in users:
            values = {f"answer {answer['field_id']}": str(answer["value"]) for answer in row["answers"]}
            yield Fact(resource="form_completions", key=str(row["id"]), fields=values)


def _earned(source: Row, users: set[str], tags: set[str]) -> Iterator[Fact]:
    names = first_names(source, "certificates")
    current = {str(row["id"]): row["name"] for row in source["certificates"]}
    for row in source["earned"]:
        tag = names.get(str(row["certificate_id"]), current.get(str(row["certificate_id"]), ""))
        if str(row["user_id"]) in users and tag in tags:
            until = "" if row["expires_at"] is None else day(row["expires_at"])
            yield Fact(resource="earned_certificates", key=str(row["id"]), fields={"tag": tag, "expires": until})


def instant(seconds: object) -> str:
    """Unix seconds as a time in UTC; what is none as it is, which no destination can show."""
    try:
        return datetime.fromtimestamp(int(str(seconds)), UTC).isoformat()
    except (ValueError, OverflowError):
        return f"unreadable: {seconds}"


def day(seconds: object) -> str:
    found = instant(seconds)
    return found if found.startswith("unreadable") else found[:10]
