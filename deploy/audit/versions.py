"""The values each field of a user had, in order: the yardstick for order, for freshness and for blanks."""

from collections import defaultdict
from collections.abc import Sequence

from deploy.audit.mapping import FIELDS
from deploy.audit.model import Organization


class Versions:
    """The successive values of every field of every user of one organization."""

    def __init__(self, organization: Organization) -> None:
        self._values: dict[tuple[str, str], list[str]] = defaultdict(list)
        for edit in organization.edits:
            if not edit.deletes:
                for field in FIELDS:
                    self._add(edit.user_id, field, edit.values[field])

    def _add(self, user_id: str, field: str, value: str) -> None:
        values = self._values[user_id, field]
        if not values or values[-1] != value:
            values.append(value)

    def of(self, user_id: str, field: str) -> Sequence[str]:
        return self._values.get((user_id, field), ())

    def at_or_after(self, user_id: str, field: str, value: str, lowest: int) -> int | None:
        """The first version with this value, from `lowest` on."""
        values = self.of(user_id, field)
        return next((number for number in range(lowest, len(values)) if values[number] == value), None)
