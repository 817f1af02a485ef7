"""One record by its own id, for a person who decides what it is."""

from __future__ import annotations

from collections.abc import Mapping

from common.domain.errors import PageUnreadable
from common.domain.resources import USERS
from common.domain.writes import Found
from processor.destinations.crm_plus import contact as contacts
from processor.destinations.crm_plus.account import Account

NOT_FOUND = 404


def find(account: Account, resource: str, destination_id: str) -> Found | None:
    """None if there is none, or if records of the resource are not linked by hand."""
    if resource != USERS:
        return None
    answer = account.api.read("/api/Contact/{id}", names={"id": destination_id}, accept=(NOT_FOUND,))
    if answer.status == NOT_FOUND:
        return None
    contact = answer.json()
    if not isinstance(contact, Mapping) or contact.get("id") is None:
        raise PageUnreadable("crm_plus: GET /api/Contact/{id}: the answer is not a contact")
    return Found(destination_id=contacts.contact_id(contact), details=_who(contact), current=_shown(contact))


def _who(contact: Mapping[str, object]) -> dict[str, str]:
    """Of several people nobody is taken for the person yet: who has the e-mail address or the name is found when it is
    written, and else the person is added.
    """
    return contacts.ids(contact) if len(contacts.people_of(contact)) == 1 else {"individual_id": ""}


def _shown(contact: Mapping[str, object]) -> dict[str, str]:
    """What tells two people apart: of a household the primary person's, and the names of all."""
    individual = contacts.our_individual(contact) or {}
    methods = individual.get("contactMethods") or []
    address = contact.get("address")
    parts = ("address1", "city", "state", "postal")
    return {
        "people": ", ".join(_names(contact)),
        "first_name": str(individual.get("firstName") or ""),
        "last_name": str(individual.get("lastName") or ""),
        "email": _value(methods, "email"),
        "phone": _value(methods, "phone"),
        "address": ", ".join(str(address[p]) for p in parts if address.get(p)) if isinstance(address, Mapping) else "",
        "references": ", ".join(f"{source}:{key}" for source, key in contacts.references(contact)),
        "archived": str(contacts.is_archived(contact)).lower(),
        "merged_into": str(contact.get("mergedIntoContactId") or ""),
    }


def _names(contact: Mapping[str, object]) -> list[str]:
    """Everybody's who is in it, the primary person's first: a candidate may be any of them."""
    people = sorted(contacts.people_of(contact), key=lambda row: not contacts.is_true(row.get("isPrimary")))
    parts = ((str(row.get("firstName") or ""), str(row.get("lastName") or "")) for row in people)
    return [" ".join(filter(None, names)) or "(no name)" for names in parts]


def _value(methods: list[Mapping[str, object]], kind: str) -> str:
    of_kind = [row for row in methods if kind in str(row.get("type", "")).lower()]
    return str(next((row.get("value") for row in of_kind), "") or "")
