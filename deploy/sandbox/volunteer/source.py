"""Everything one organization has in the Volunteer API: users with their history, and the log of everything else."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from deploy.sandbox.names import address_line, split_address
from deploy.sandbox.seals import Chain
from deploy.sandbox.volunteer.attendance import Attendance
from deploy.sandbox.volunteer.changes import Changes, Moment, Row
from deploy.sandbox.volunteer.directory import Directory, User
from deploy.sandbox.volunteer.joins import Earned, Memberships
from deploy.sandbox.volunteer.records import logged


@dataclass
class Source:
    """Users with their history; the other resources are plain rows keyed by id, edited through `books`."""

    directory: Directory = field(default_factory=Directory)
    projects: dict[int, Row] = field(default_factory=dict)
    dates: dict[int, Row] = field(default_factory=dict)
    groups: dict[int, Row] = field(default_factory=dict)
    campaigns: dict[int, Row] = field(default_factory=dict)
    organizations: dict[int, Row] = field(default_factory=dict)
    forms: dict[int, Row] = field(default_factory=dict)
    completions: dict[int, Row] = field(default_factory=dict)
    certificates: dict[int, Row] = field(default_factory=dict)
    history: list[Row] = field(default_factory=list)
    history_chain: Chain = field(default_factory=Chain)
    deleted: list[int] = field(default_factory=list)
    ids: Iterator[int] = field(default_factory=lambda: count(4101))
    serials: Iterator[int] = field(default_factory=lambda: count(1))
    changes: Changes = field(default_factory=Changes)
    used: set[tuple[str, Any]] = field(default_factory=set)  #: values that were given once, by whose they are

    def __post_init__(self) -> None:
        self.attendance = Attendance(self.changes)
        self.memberships = Memberships(self.groups, self.changes)
        self.earned = Earned(self.changes)

    def create(self, values: dict[str, Any], moment: Moment, *, omit: frozenset[str] = frozenset()) -> User:
        """Adds a user; `created_at` and `updated_at` may be among the values, as unix seconds."""
        values = dict(values)
        created = int(values.pop("created_at", moment.wall))
        updated = int(values.pop("updated_at", created))
        participations = values.pop("participations", [])
        parts = _settle_address(values)
        user = User(next(self.ids), values, parts, created, updated, omit)
        self.directory.add(user)
        self.attendance.enrol(user.id, participations, moment)
        self._record("create", user.id, user.mapped(), moment, user.updated)
        return user

    def change(self, user: User, values: Mapping[str, Any], moment: Moment, *, kind: str, silent: bool = False) -> None:
        """Changes a user; participations, and silent changes, do not move `updated_at`."""
        changed = dict(values)
        stamp = changed.pop("updated_at", None)
        if "participations" in changed:
            self.attendance.enrol(user.id, changed.pop("participations"), moment)
        if "address" in changed or "address_parts" in changed:
            user.address_parts = _settle_address(changed)
        if not changed and stamp is None:
            return
        user.updated = int(stamp if stamp is not None else user.updated if silent else moment.wall)
        self.directory.change(user, changed)
        self._record(kind, user.id, user.mapped(), moment, user.updated)

    def delete(self, user_id: int, moment: Moment) -> None:
        """Removes a user without a trace in the API; completions alone remain."""
        self.directory.remove(user_id)
        for joined in (self.attendance, self.memberships, self.earned):
            joined.forget(user_id, moment)
        self.deleted.append(user_id)
        self._record("delete", user_id, {}, moment, None)

    def note_seeds(self, moment: Moment) -> None:
        """Begins the log with what there is, as if it had just been created."""
        for resource, rows in self._seeds():
            for row in rows:
                self.changes.note(resource, row["id"], "create", logged(row), moment)

    def _seeds(self) -> Iterator[tuple[str, Iterable[Row]]]:
        yield "projects", self.projects.values()
        yield "project_dates", self.dates.values()
        yield "participations", [row for rows in self.attendance.exported().values() for row in rows]
        yield "groups", self.groups.values()
        yield "group_members", self.memberships.listing()
        yield "campaigns", self.campaigns.values()
        yield "forms", self.forms.values()
        yield "form_completions", self.completions.values()
        yield "certificates", self.certificates.values()
        yield "earned_certificates", self.earned.listing()

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
        self.history_chain.add(self.history[-1])


def _settle_address(values: dict[str, Any]) -> dict[str, str] | None:
    """Makes the line and the parts of an address agree; gives the parts."""
    if "address_parts" in values:
        parts: dict[str, str] | None = values.pop("address_parts")
        values.setdefault("address", address_line(parts))
        return parts
    return split_address(values.get("address"))
