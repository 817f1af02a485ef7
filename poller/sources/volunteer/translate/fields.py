"""Reads fields of one item; every complaint names customer, resource, field and mend, and never the value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self, TypeVar

from common.domain.errors import RecordInvalid
from poller.sources.volunteer.translate.numbers import read_hours, read_truth, read_whole, spelled_id
from poller.sources.volunteer.translate.times import canonical, read_day, read_time

#: The reference spells a missing value like this in places; it is no name of anything but, perhaps, a person.
NULL = "null"
T = TypeVar("T")


@dataclass(frozen=True)
class Fields:
    """One item of one resource."""

    item: Mapping[str, Any]
    customer_id: str
    resource: str

    @classmethod
    def of(cls, item: Any, customer_id: str, resource: str) -> Self:
        """Raises RecordInvalid for what is no object."""
        if not isinstance(item, Mapping):
            raise RecordInvalid(customer_id, resource, "data", "an item is not an object; ask the source's support")
        return cls(item, customer_id, resource)

    def wrong(self, name: str, mend: str) -> RecordInvalid:
        return RecordInvalid(self.customer_id, self.resource, name, mend)

    def verbatim(self, name: str) -> str:
        """Trimmed; empty if missing. Numbers are accepted as text."""
        value = self.item.get(name)
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self.wrong(name, f"is a {type(value).__name__}, not text; correct it at the source")
        return str(value).strip()

    def text(self, name: str) -> str:
        """The same, where `null` in a string is none."""
        value = self.verbatim(name)
        return "" if value == NULL else value

    def required(self, name: str) -> str:
        """Text that may not be empty. Somebody may be called Null, and will be spared the question."""
        value = self.verbatim(name)
        if not value:
            raise self.wrong(name, "is missing or empty; fill it in at the source")
        return value

    def identifier(self, name: str) -> str:
        value = self.reference(name)
        if not value:
            raise self.wrong(name, "is missing or empty; fill it in at the source")
        return value

    def reference(self, name: str) -> str:
        """An id that may be missing."""
        return spelled_id(self.text(name))

    def day(self, name: str) -> str:
        return self._read(name, read_day, "", "is not a date (YYYY-MM-DD)")

    def moment(self, name: str) -> datetime:
        """A time that may not be missing."""
        found = self.moment_if_any(name)
        if found is None:
            raise self.wrong(name, "is missing or empty; fill it in at the source")
        return found

    def moment_if_any(self, name: str) -> datetime | None:
        return self._read(name, read_time, None, "is not a time")

    def time(self, name: str) -> str:
        """As canonical records hold a time; empty if there is none."""
        found = self.moment_if_any(name)
        return "" if found is None else canonical(found)

    def hours(self, name: str) -> str:
        return self._read(name, read_hours, "0.00", "is not a number of hours, such as 4.50")

    def whole(self, name: str) -> int:
        return self._read(name, read_whole, 0, "is not a whole number from 0 on")

    def truth(self, name: str, *, missing: bool) -> bool:
        value = self.item.get(name)
        if isinstance(value, bool):
            return value
        return self._read(name, read_truth, missing, "is neither true nor false (1, 0, true, false)")

    def objects(self, name: str) -> Sequence[Mapping[str, Any]]:
        """What of a list is an object; empty if there is none."""
        value = self.item.get(name)
        return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []

    def _read(self, name: str, reader: Callable[[str], T], missing: T, mend: str) -> T:
        text = self.text(name)
        try:
            return reader(text) if text else missing
        except ValueError:
            raise self.wrong(name, f"{mend}; correct it at the source") from None
