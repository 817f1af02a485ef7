"""Who takes part in which date, and how its rows are told apart although the API gives them no id."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, count

from deploy.sandbox.volunteer.changes import Changes, Moment, NoRecordError, Row

RESOURCE = "participations"


class Attendance:
    """The participations by user; a row names its date, or on an Anytime project only the project."""

    def __init__(self, changes: Changes) -> None:
        self._rows: defaultdict[int, list[Row]] = defaultdict(list)
        self._changes = changes

    def of_user(self, user_id: int) -> list[Row]:
        """The rows as stored, in the order in which they came."""
        return self._rows.get(user_id, [])

    def on_date(self, date_id: int) -> Iterator[tuple[int, Row]]:
        """User and row of everybody on a date."""
        return ((user_id, row) for user_id, row in self.every() if row.get("project_date_id") == date_id)

    def every(self) -> Iterator[tuple[int, Row]]:
        """User and row of everybody, as stored."""
        for user_id, rows in self._rows.items():
            yield from ((user_id, row) for row in rows)

    def exported(self) -> dict[int, list[Row]]:
        """The rows by user, each with its id; users without any are left out."""
        return {user_id: list(identified(user_id, rows).values()) for user_id, rows in self._rows.items() if rows}

    def enrol(self, user_id: int, rows: Iterable[Row], moment: Moment) -> None:
        """Replaces a user's rows and notes the difference: an id can pass from a cancelled row to its sibling."""
        before = identified(user_id, self.of_user(user_id))
        self.place(user_id, rows)
        self._changes.compare(RESOURCE, before, identified(user_id, self.of_user(user_id)), moment)

    def place(self, user_id: int, rows: Iterable[Row]) -> None:
        """The same without a note, while seeding."""
        self._rows[user_id] = [_stored(row) for row in rows]

    def forget(self, user_id: int, moment: Moment) -> None:
        self.enrol(user_id, [], moment)
        del self._rows[user_id]

    def create(self, values: Row, moment: Moment) -> Row:
        user_id = int(values["user_id"])
        return self._exchange(user_id, None, _stored(values), moment)

    def change(self, record_id: str, values: Row, moment: Moment, *, silent: bool = False) -> Row:  # noqa: ARG002
        """Changes a row; nothing it could move is shown, so every change of it is silent."""
        user_id, row = self._find(record_id)
        if values.get("user_id", user_id) != user_id:
            raise ValueError("a participation stays with its user_id: delete it and create another")
        return self._exchange(user_id, row, {**row, **_stored(values)}, moment)

    def delete(self, record_id: str, moment: Moment) -> None:
        user_id, row = self._find(record_id)
        self.enrol(user_id, [other for other in self.of_user(user_id) if other is not row], moment)

    def empty(self, place: Mapping[str, int | None], moment: Moment) -> None:
        """Removes every row at a place: what was planned there is gone."""
        for user_id, rows in list(self._rows.items()):
            left = [row for row in rows if any(row.get(name) != value for name, value in place.items())]
            if len(left) < len(rows):
                self.enrol(user_id, left, moment)

    def _exchange(self, user_id: int, old: Row | None, new: Row, moment: Moment) -> Row:
        kept = [row for row in self.of_user(user_id) if row is not old]
        self.enrol(user_id, [*kept, new], moment)
        return self.shown(user_id, self.of_user(user_id)[-1])

    def shown(self, user_id: int, row: Row) -> Row:
        """One stored row with its id, which depends on its siblings."""
        ids = _ids(user_id, self.of_user(user_id))
        return next(_shown(record_id, user_id, each) for record_id, each in ids.items() if each is row)

    def _find(self, record_id: str) -> tuple[int, Row]:
        user = record_id.split(":")[1] if ":" in record_id else ""
        user_id = int(user) if user.isdecimal() else 0
        ids = _ids(user_id, self.of_user(user_id))
        if record_id not in ids:
            raise NoRecordError(f"no participation {record_id!r}")
        return user_id, ids[record_id]


def identified(user_id: int, rows: Iterable[Row]) -> dict[str, Row]:
    """Copies of a user's rows by id, each with `id` and `user_id`."""
    return {record_id: _shown(record_id, user_id, row) for record_id, row in _ids(user_id, rows).items()}


def _ids(user_id: int, rows: Iterable[Row]) -> dict[str, Row]:
    """The first row on a date has the plain id, the others one with their role, and a number where that repeats."""
    found: dict[str, Row] = {}
    for row in sorted(rows, key=_seniority):
        base = f"{_place(row)}:{user_id}"
        named = f"{base}:{row.get('role')}"
        numbered = (f"{named}:{number}" for number in count(2))
        found[next(each for each in chain((base, named), numbered) if each not in found)] = row
    return found


def _place(row: Row) -> str:
    date_id = row.get("project_date_id")
    return f"project-{row.get('project_id')}" if date_id is None else str(date_id)


def _seniority(row: Row) -> tuple[int, float, str, str]:
    """By sign-up, then role; rows without a readable sign-up come first, those with a malformed one last."""
    signed_up, role = row.get("signed_up_at"), str(row.get("role") or "")
    if signed_up is None:
        return (0, 0.0, "", role)
    if isinstance(signed_up, int | float):
        return (1, signed_up, "", role)
    return (2, 0.0, str(signed_up), role)


def _stored(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in ("id", "user_id")}


def _shown(record_id: str, user_id: int, row: Row) -> Row:
    return {"id": record_id, "user_id": user_id, **row}
