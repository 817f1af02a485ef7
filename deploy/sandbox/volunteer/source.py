"""Everything one organization has in the Volunteer API, and the history of its users."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from deploy.sandbox.names import address_line, split_address
from deploy.sandbox.volunteer.directory import Directory, User

Row = dict[str, Any]


@dataclass(slots=True)
class Moment:
    """When an edit happened: wall clock and monotonic."""

    wall: float
    monotonic: float


@dataclass
class Source:
    """Users with their history; the other resources are plain rows keyed by id."""

    directory: Directory = field(default_factory=Directory)
    projects: dict[int, Row] = field(default_factory=dict)
    dates: dict[int, Row] = field(default_factory=dict)
    groups: dict[int, Row] = field(default_factory=dict)
    campaigns: dict[int, Row] = field(default_factory=dict)
    organizations: dict[int, Row] = field(default_factory=dict)
    forms: dict[int, Row] = field(default_factory=dict)
    completions: dict[int, Row] = field(default_factory=dict)
    certificates: dict[int, Row] = field(default_factory=dict)
    participations: defaultdict[int, list[Row]] = field(default_factory=lambda: defaultdict(list))
    history: list[Row] = field(default_factory=list)
    deleted: list[int] = field(default_factory=list)
    ids: Iterator[int] = field(default_factory=lambda: count(4101))
    serials: Iterator[int] = field(default_factory=lambda: count(1))

    def create(self, values: dict[str, Any], moment: Moment, *, omit: frozenset[str] = frozenset()) -> User:
        """Adds a user; `created_at` and `updated_at` may be among the values, as unix seconds."""
        values = dict(values)
        created = int(values.pop("created_at", moment.wall))
        updated = int(values.pop("updated_at", created))
        participations = values.pop("participations", [])
        parts = _settle_address(values)
        user = User(next(self.ids), values, parts, created, updated, omit)
        self.directory.add(user)
        self.participations[user.id] = participations
        self._record("create", user.id, user.mapped(), moment, user.updated)
        return user

    def change(self, user: User, values: Mapping[str, Any], moment: Moment, *, kind: str, silent: bool = False) -> None:
        """Changes a user; participations, and silent changes, do not move `updated_at`."""
        changed = dict(values)
        stamp = changed.pop("updated_at", None)
        if "participations" in changed:
            self.participations[user.id] = changed.pop("participations")
        if "address" in changed or "address_parts" in changed:
            user.address_parts = _settle_address(changed)
        if not changed and stamp is None:
            return
        user.updated = int(stamp if stamp is not None else user.updated if silent else moment.wall)
        self.directory.change(user, changed)
        self._record(kind, user.id, user.mapped(), moment, user.updated)

    def delete(self, user_id: int, moment: Moment) -> None:
        """Removes a user without a trace in the API."""
        self.directory.remove(user_id)
        self.participations.pop(user_id, None)
        self.deleted.append(user_id)
        self._record("delete", user_id, {}, moment, None)

    def participants(self, date_id: int) -> list[tuple[int, Row]]:
        return [
            (user_id, row)
            for user_id, rows in self.participations.items()
            for row in rows
            if row["project_date_id"] == date_id
        ]

    def _record(self, kind: str, user_id: int, values: Row, moment: Moment, updated: int | None) -> None:
        self.history.append(
            {
                "seq": len(self.history) + 1,
                "at": moment.wall,
                "at_monotonic": moment.monotonic,
                "user_id": user_id,
                "kind": kind,
                "updated_at": updated,
                "values": values,
            }
        )


def _settle_address(values: dict[str, Any]) -> dict[str, str] | None:
    """Makes the line and the parts of an address agree; gives the parts."""
    if "address_parts" in values:
        parts: dict[str, str] | None = values.pop("address_parts")
        values.setdefault("address", address_line(parts))
        return parts
    return split_address(values.get("address"))
