"""What the journal says of a write, so that an auditor can judge each record on its own.

record      contact, opportunity, volunteer (a sign-up), attendance, tag (tied to a contact), note, gift
record_id   its id; a second record of the same content is a double
created     whether this write made it
fields      what the request set, under the journal's own names
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from deploy.sandbox.crm.destination import Contact
from deploy.sandbox.journal import Entry

#: By record: the API's names of the fields that the journal notes, and the journal's own.
NOTED: Mapping[str, Mapping[str, str]] = {
    "contact": {
        "firstName": "first_name",
        "lastName": "last_name",
        "name": "name",
        "contactType": "contact_type",
        "email": "email",
        "phone": "phone",
        "address1": "address1",
        "address2": "address2",
        "city": "city",
        "state": "state",
        "postal": "postal",
        "country": "country",
        "gender": "gender",
        "birthDate": "birth_date",
        "birthMonth": "birth_month",
        "birthDay": "birth_day",
        "birthYear": "birth_year",
    },
    "opportunity": {
        "name": "name",
        "startDateTime": "start",
        "endDateTime": "end",
        "timeZone": "time_zone",
        "isActive": "is_active",
        "description": "description",
        "locationName": "location",
    },
    "volunteer": {},
    "attendance": {
        "hours": "hours",
        "startDateTimeUtc": "start",
        "endDateTimeUtc": "end",
        "timeZone": "time_zone",
        "date": "date",
        "opportunity": "opportunity",
    },
    "tag": {"tagName": "tag"},
    "note": {
        "type": "type",
        "note": "note",
        "noteDateTime": "date",
        "important": "important",
        "private": "private",
    },
    "gift": {"amount": "amount", "giftDate": "date", "giftType": "type", "designations": "designations"},
}


def note(
    entry: Entry,
    contact: Contact | None,
    action: str,
    given: Mapping[str, Any],
    now: datetime,
    *,
    record: str = "contact",
    record_id: int | None = None,
    created: bool = False,
    **more: object,
) -> None:
    """Notes a write; only an opportunity has no contact. What is None among `more` is left out."""
    entry.wrote(
        {
            "contact_id": contact.id if contact else None,
            "reference": contact.references[0] if contact and contact.references else None,
            "at": now.timestamp(),
            "action": action,
            "record": record,
            "record_id": contact.id if contact and record_id is None else record_id,
            "created": created,
            "fields": {NOTED[record][name]: value for name, value in given.items() if name in NOTED[record]},
            **{name: value for name, value in more.items() if value is not None},
        }
    )
