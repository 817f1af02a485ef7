"""Rows that a number identifies: created, changed and deleted with a note in the log."""

from collections.abc import Callable
from typing import Protocol

from deploy.sandbox.volunteer.changes import Changes, Moment, NoRecordError, Row

#: What hangs on a record goes before the record itself.
Clear = Callable[[int, Moment], None]


class Book(Protocol):
    """The records of one resource; ids are text, as in the log."""

    def create(self, values: Row, moment: Moment) -> Row:
        """The new row; raises RecordTakenError, and ValueError or KeyError for what makes no sense."""

    def change(self, record_id: str, values: Row, moment: Moment, *, silent: bool = False) -> Row:
        """The row after the change; raises NoRecordError."""

    def delete(self, record_id: str, moment: Moment) -> None:
        """Removes the record and what hangs on it; raises NoRecordError."""


class Numbered:
    """Rows by number; a number is never given twice, not even after a deletion."""

    def __init__(self, resource: str, rows: dict[int, Row], changes: Changes, *, first: int, clear: Clear) -> None:
        self._resource = resource
        self._rows = rows
        self._changes = changes
        self._last = first - 1
        self._clear = clear

    def create(self, values: Row, moment: Moment) -> Row:
        self._last = max([self._last, *self._rows]) + 1
        stamps = {"created_at": int(moment.wall), "updated_at": int(moment.wall)}
        row = {"id": self._last, **self._stamped(stamps), **values}
        self._rows[self._last] = row
        self._note("create", row, moment)
        return row

    def change(self, record_id: str, values: Row, moment: Moment, *, silent: bool = False) -> Row:
        """Sets values; `updated_at` moves, unless the change is silent or names it."""
        row = self._find(record_id)
        moved = {} if silent else self._stamped({"updated_at": int(moment.wall)})
        row.update({**moved, **values})
        self._note("change", row, moment)
        return row

    def delete(self, record_id: str, moment: Moment) -> None:
        number = self._find(record_id)["id"]
        self._clear(number, moment)
        self._last = max([self._last, *self._rows])
        del self._rows[number]
        self._changes.note(self._resource, number, "delete", {}, moment)

    def _stamped(self, stamps: Row) -> Row:
        return stamps

    def _find(self, record_id: str) -> Row:
        if not record_id.isdecimal() or int(record_id) not in self._rows:
            raise NoRecordError(f"{self._resource} has no record {record_id!r}")
        return self._rows[int(record_id)]

    def _note(self, kind: str, row: Row, moment: Moment) -> None:
        self._changes.note(self._resource, row["id"], kind, logged(row), moment)


class Dates(Numbered):
    """Dates have no times of their own; whether they move their project's is a setting."""

    def __init__(
        self,
        rows: dict[int, Row],
        changes: Changes,
        *,
        clear: Clear,
        projects: Numbered,
        touching: Callable[[], bool],
    ) -> None:
        super().__init__("project_dates", rows, changes, first=1011, clear=clear)
        self._projects = projects
        self._touching = touching

    def create(self, values: Row, moment: Moment) -> Row:
        return self._touch(super().create(values, moment), moment)

    def change(self, record_id: str, values: Row, moment: Moment, *, silent: bool = False) -> Row:
        own = self._find(record_id)["project_id"]
        if values.get("project_id", own) != own:
            raise ValueError("a date stays with its project_id: delete it and create another")
        row = super().change(record_id, values, moment, silent=silent)
        return row if silent else self._touch(row, moment)

    def delete(self, record_id: str, moment: Moment) -> None:
        row = self._find(record_id)
        super().delete(record_id, moment)
        self._touch(row, moment)

    def _stamped(self, stamps: Row) -> Row:  # noqa: ARG002
        return {}

    def _touch(self, row: Row, moment: Moment) -> Row:
        if self._touching():
            self._projects.change(str(row["project_id"]), {}, moment)
        return row


def logged(row: Row) -> Row:
    """A row as the log shows it: who is in a group is logged member by member."""
    return {name: value for name, value in row.items() if name != "members"}
