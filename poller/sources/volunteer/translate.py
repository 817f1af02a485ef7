"""VOMO's items to canonical records. Tolerant of spelling, strict about what a record cannot do without.

Facts: volunteer-api 1.4 (users) and 1.8 (types and dates). Unknown fields stay in the raw item.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import structlog

from common.domain.errors import RecordInvalid
from common.domain.people import Person
from common.domain.records import Record
from common.domain.resources import USERS

log = structlog.get_logger(__name__)

GENDERS = frozenset({"M", "F", "N", ""})


def user(item: Any, customer_id: str) -> Record:
    """Raises RecordInvalid, naming the field, for an item without an id, a time or a name, or with a wrong type."""
    if not isinstance(item, Mapping):
        raise RecordInvalid(customer_id, USERS, "data", "an item is not an object; ask the source's support")
    fields = _Fields(item, customer_id)
    person = Person(
        first_name=fields.required_text("first_name"),
        last_name=fields.required_text("last_name"),
        email=fields.text("email").lower(),
        phone=fields.text("phone"),
        address=fields.text("address"),
        birthday=fields.day("birthday"),
        gender=fields.known("gender", GENDERS),
        membership_status=fields.text("membership_status"),
        membership_role=fields.text("membership_role"),
    )
    return Record(
        resource=USERS,
        source_id=fields.identifier("id"),
        updated_at=fields.moment("updated_at"),
        body=person.to_body(),
        raw=item,
    )


class _Fields:
    """Reads fields of one item; every complaint names customer and field."""

    def __init__(self, item: Mapping[str, Any], customer_id: str) -> None:
        self._item = item
        self._customer_id = customer_id

    def _wrong(self, name: str, mend: str) -> RecordInvalid:
        return RecordInvalid(self._customer_id, USERS, name, mend)

    def text(self, name: str) -> str:
        """Trimmed; empty if missing or null. Numbers are accepted as text."""
        value = self._item.get(name)
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self._wrong(name, f"is a {type(value).__name__}, not text; correct it at the source")
        return str(value).strip()

    def required_text(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise self._wrong(name, "is missing or empty; fill it in at the source")
        return value

    def identifier(self, name: str) -> str:
        """Ids come as numbers or as digits in a string; both are the same id."""
        value = self.required_text(name)
        return value.lstrip("0") or "0" if value.isascii() and value.isdigit() else value

    def known(self, name: str, values: frozenset[str]) -> str:
        """A value outside the known set is kept, and said: enums of this API are not declared."""
        value = self.text(name)
        if value not in values:
            log.warning(
                "unknown value kept as it is",
                action="translate.unknown_value",
                customer_id=self._customer_id,
                field=name,
            )
        return value

    def day(self, name: str) -> str:
        value = self.text(name)
        if not value:
            return ""
        try:
            return date.fromisoformat(value[:10]).isoformat()
        except ValueError:
            raise self._wrong(name, "is not a date (YYYY-MM-DD); correct it at the source") from None

    def moment(self, name: str) -> datetime:
        try:
            return read_time(self.required_text(name))
        except ValueError:
            raise self._wrong(name, "is not a time; correct it at the source") from None


def read_time(text: str) -> datetime:
    """The three spellings seen: with an offset, with `Z` and fractions, and bare, which means UTC. Raises
    ValueError.
    """
    moment = datetime.fromisoformat(text)
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("lies outside the years that a time can have in UTC") from None
