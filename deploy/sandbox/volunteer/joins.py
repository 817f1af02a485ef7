"""Records that only join a user to something: members of groups, earned certificates."""

from bisect import insort

from deploy.sandbox.volunteer.changes import Changes, Moment, NoRecordError, RecordTakenError, Row


class Memberships:
    """Who is in which group; neither side's `updated_at` moves, as far as anybody knows."""

    def __init__(self, groups: dict[int, Row], changes: Changes) -> None:
        self._groups = groups
        self._changes = changes

    def listing(self) -> list[Row]:
        return [
            _joined("group_id", group["id"], user_id) for group in self._groups.values() for user_id in group["members"]
        ]

    def create(self, values: Row, moment: Moment) -> Row:
        group_id, user_id = int(values["group_id"]), int(values["user_id"])
        members = self._members(group_id)
        if user_id in members:
            raise RecordTakenError(f"user {user_id} is in group {group_id} already")
        insort(members, user_id)
        row = _joined("group_id", group_id, user_id)
        self._changes.note("group_members", row["id"], "create", row, moment)
        return row

    def change(self, record_id: str, values: Row, moment: Moment, *, silent: bool = False) -> Row:  # noqa: ARG002
        raise ValueError("a membership has nothing to change: delete it, or create another")

    def delete(self, record_id: str, moment: Moment) -> None:
        group_id, user_id = _pair(record_id)
        members = self._members(group_id)
        if user_id not in members:
            raise NoRecordError(f"no membership {record_id!r}")
        members.remove(user_id)
        self._changes.note("group_members", record_id, "delete", {}, moment)

    def empty(self, group_id: int, moment: Moment) -> None:
        """Everybody leaves a group."""
        for user_id in list(self._members(group_id)):
            self.delete(f"{group_id}:{user_id}", moment)

    def forget(self, user_id: int, moment: Moment) -> None:
        """A user leaves every group."""
        for group in self._groups.values():
            if user_id in group["members"]:
                self.delete(f"{group['id']}:{user_id}", moment)

    def _members(self, group_id: int) -> list[int]:
        if group_id not in self._groups:
            raise NoRecordError(f"no group {group_id}")
        members: list[int] = self._groups[group_id]["members"]
        return members


class Earned:
    """Who earned which certificate, from when until when; shown in a user's detail at most."""

    def __init__(self, changes: Changes) -> None:
        self._rows: dict[str, Row] = {}
        self._changes = changes

    def listing(self) -> list[Row]:
        return list(self._rows.values())

    def of_user(self, user_id: int) -> list[Row]:
        return [row for row in self._rows.values() if row["user_id"] == user_id]

    def create(self, values: Row, moment: Moment) -> Row:
        row = {**values, **_joined("certificate_id", int(values["certificate_id"]), int(values["user_id"]))}
        if row["id"] in self._rows:
            raise RecordTakenError(f"certificate {row['id']!r} is earned already: change it")
        return self._put(row, "create", moment)

    def place(self, row: Row) -> None:
        """Adds a row without a note, while seeding."""
        joined = {**row, **_joined("certificate_id", row["certificate_id"], row["user_id"])}
        self._rows[joined["id"]] = joined

    def change(self, record_id: str, values: Row, moment: Moment, *, silent: bool = False) -> Row:  # noqa: ARG002
        row = self._find(record_id)
        if any(values.get(name, row[name]) != row[name] for name in ("certificate_id", "user_id")):
            raise ValueError("an earned certificate keeps its certificate_id and user_id: create another")
        return self._put({**row, **values}, "change", moment)

    def delete(self, record_id: str, moment: Moment) -> None:
        self._find(record_id)
        del self._rows[record_id]
        self._changes.note("earned_certificates", record_id, "delete", {}, moment)

    def empty(self, certificate_id: int, moment: Moment) -> None:
        """Nobody has a certificate any more."""
        for row in [row for row in self._rows.values() if row["certificate_id"] == certificate_id]:
            self.delete(row["id"], moment)

    def forget(self, user_id: int, moment: Moment) -> None:
        for row in self.of_user(user_id):
            self.delete(row["id"], moment)

    def _put(self, row: Row, kind: str, moment: Moment) -> Row:
        self._rows[row["id"]] = row
        self._changes.note("earned_certificates", row["id"], kind, row, moment)
        return row

    def _find(self, record_id: str) -> Row:
        if record_id not in self._rows:
            raise NoRecordError(f"no earned certificate {record_id!r}")
        return self._rows[record_id]


def _joined(name: str, other_id: int, user_id: int) -> Row:
    return {"id": f"{other_id}:{user_id}", name: other_id, "user_id": user_id}


def _pair(record_id: str) -> tuple[int, int]:
    first, _, second = record_id.partition(":")
    if not (first.isdecimal() and second.isdecimal()):
        raise NoRecordError(f"no record {record_id!r}")
    return int(first), int(second)
