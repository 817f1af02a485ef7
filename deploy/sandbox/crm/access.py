"""Finding the record that a request means, or refusing."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from deploy.sandbox.crm.destination import Contact, Fields, Individual
from deploy.sandbox.exchange import Call, Refusal, Reply

T = TypeVar("T")
DEFAULT_TAKE = 10
MAX_TAKE = 1000
#: Rows of one bulk request; the live limit is not documented, so it is that of a batch.
BULK_LIMIT = 100


def missing(what: str = "record") -> Refusal:
    return Refusal(404, "NOT_FOUND", f"The requested {what} was not found.")


def bad(message: str, field: str | None = None) -> Refusal:
    details = [{"field": field, "code": "INVALID", "message": message}] if field else []
    return Refusal(400, "BAD_REQUEST", message, details)


def find(rows: Mapping[int, T], row_id: int) -> T:
    if row_id not in rows:
        raise missing()
    return rows[row_id]


def contact_at(call: Call, parameter: str = "id") -> Contact:
    """The contact in the path."""
    contact = find(call.organization.destination.contacts, call.number(parameter))
    call.entry.saw(contact.id)
    return contact


def contact_in(call: Call, body: Fields, *, named: str = "contactId") -> Contact:
    """The contact that the body names; `named` is what a refusal calls the field."""
    contact = call.organization.destination.contacts.get(integer(body, "contactId", named=named))
    if contact is None:
        raise bad(f"{named} does not name a contact.", named)
    call.entry.saw(contact.id)
    return contact


def individual_in(call: Call, body: Fields) -> Individual:
    individual = call.organization.destination.individuals.get(integer(body, "contactIndividualId"))
    if individual is None:
        raise bad("contactIndividualId does not name an individual.", "contactIndividualId")
    return individual


def owner(call: Call, individual: Individual) -> Contact:
    return call.organization.destination.contacts[individual.contact_id]


def integer(body: Fields, name: str, *, named: str = "") -> int:
    """A number that may have come as text."""
    value: Any = body.get(name)
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise bad(f"{named or name} must be a number.", named or name)
    return value


def window(call: Call) -> slice:
    """Skip and take from the query; more than the most is refused rather than cut."""
    skip, take = _count(call, "skip", 0), _count(call, "take", DEFAULT_TAKE)
    if take > MAX_TAKE:
        raise bad(f"take must not be more than {MAX_TAKE}.", "take")
    return slice(skip, skip + take)


def listing(call: Call, rows: Sequence[Any]) -> Reply:
    return Reply(payload={"list": list(rows[window(call)]), "total": len(rows)})


def _count(call: Call, name: str, default: int) -> int:
    text = call.query.get(name)
    if text is None:
        return default
    if not text.isdecimal():
        raise bad(f"{name} must be a number.", name)
    return int(text)
