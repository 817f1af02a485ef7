"""Users to people; facts: volunteer-api 1.4."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from common.domain.people import Person
from common.domain.records import Record
from common.domain.resources import USERS
from poller.sources.volunteer.translate.addresses import address
from poller.sources.volunteer.translate.enums import kept
from poller.sources.volunteer.translate.fields import Fields

GENDERS = frozenset({"M", "F", "N", ""})


def user(item: Any, customer_id: str, extra_fields: Sequence[str] = ()) -> Record:
    """Raises RecordInvalid, naming the field, for an item without an id, a time or a name, or with a wrong type."""
    fields = Fields.of(item, customer_id, USERS)
    person = Person(
        first_name=fields.required("first_name"),
        last_name=fields.required("last_name"),
        email=fields.text("email").lower(),
        phone=fields.text("phone"),
        address=address(fields),
        birthday=fields.day("birthday"),
        gender=kept(fields, "gender", GENDERS),
        membership_status=fields.text("membership_status"),
        membership_role=fields.text("membership_role"),
        extra={name: item[name] for name in extra_fields if item.get(name) not in (None, "")},
    )
    return Record(
        resource=USERS,
        source_id=fields.identifier("id"),
        updated_at=fields.moment("updated_at"),
        body=person.to_body(),
        raw=item,
    )
