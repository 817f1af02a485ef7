"""The users of one organization, in a stable order that is not the order of their changes."""

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

#: The fields that a synchronisation carries over, in the order of the API.
MAPPED_FIELDS = ("first_name", "last_name", "email", "phone", "address", "birthday", "gender")


@dataclass(slots=True)
class User:
    """One user as stored: values may be malformed on purpose."""

    id: int
    values: dict[str, Any]
    address_parts: dict[str, str] | None
    created: int  #: unix seconds; the API has no finer precision
    updated: int
    omitted: frozenset[str] = frozenset()  #: fields left out of every answer

    def mapped(self) -> dict[str, Any]:
        return {name: self.values.get(name) for name in MAPPED_FIELDS}

    def as_json(self) -> dict[str, Any]:
        """The canonical form, for the export."""
        return {
            "id": self.id,
            **self.values,
            "address_parts": self.address_parts,
            "created_at": datetime.fromtimestamp(self.created, UTC).isoformat(),
            "updated_at": datetime.fromtimestamp(self.updated, UTC).isoformat(),
            "omitted": sorted(self.omitted),
        }


class Directory:
    """Users by id, and in the order of the list endpoint: last name, then id."""

    def __init__(self) -> None:
        self._users: dict[int, User] = {}
        self._order: list[tuple[str, int]] = []

    def add(self, user: User) -> None:
        self._users[user.id] = user
        insort(self._order, _position(user))

    def remove(self, user_id: int) -> User:
        user = self._users.pop(user_id)
        del self._order[bisect_left(self._order, _position(user))]
        return user

    def change(self, user: User, values: dict[str, Any]) -> None:
        """Changes values, moving the user in the list where the last name changed."""
        del self._order[bisect_left(self._order, _position(user))]
        user.values.update(values)
        insort(self._order, _position(user))

    def get(self, user_id: int) -> User | None:
        return self._users.get(user_id)

    def ids(self) -> list[int]:
        return [user_id for _, user_id in self._order]

    def __iter__(self) -> Iterator[User]:
        return (self._users[user_id] for _, user_id in self._order)

    def __len__(self) -> int:
        return len(self._users)


def _position(user: User) -> tuple[str, int]:
    return str(user.values.get("last_name") or ""), user.id
