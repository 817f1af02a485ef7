"""What an import makes of a held gift: whose it is, whether it is known already, and the gift."""

from datetime import datetime

from deploy.sandbox.crm.contact_imports import match, overwrite
from deploy.sandbox.crm.destination import Contact, Destination, Fields, Held, Individual, Reference
from deploy.sandbox.crm.giving import add_gift, note_gift
from deploy.sandbox.crm.noting import note
from deploy.sandbox.crm.validation import NAMED_TYPES, filled
from deploy.sandbox.journal import Entry
from deploy.sandbox.organization import Organization

#: How the embedded contact may spell a name, in lower case, and what it is called elsewhere.
SPELLINGS = {
    "firstname": "firstName", "middlename": "middleName", "lastname": "lastName", "referenceid": "referenceId",
    "emailtype": "emailType", "phonetype": "phoneType", "birthmonth": "birthMonth", "birthday": "birthDay",
    "birthyear": "birthYear", "type": "contactType",
}  # fmt: skip


def import_gift(organization: Organization, held: Held, entry: Entry, now: datetime) -> bool:
    """Makes the gift, unless its pair is known; False where nobody can say whose it is."""
    destination, pair = organization.destination, pair_of(held.source, held.item)
    if pair in destination.gift_pairs:
        return True
    giver, individual = _giver(organization, held, entry, now)
    if giver is None:
        return False
    gift = add_gift(destination, giver, individual, held.item, now, pair=pair)
    note_gift(entry, giver, gift, now, held.submission)
    return True


def pair_of(source: str | None, item: Fields) -> Reference | None:
    """Transaction source and id; an item may name a source of its own."""
    source = item.get("transactionSource") or source
    key = item.get("transactionId")
    return (str(source), str(key)) if source and key not in (None, "") else None


def giver_of(item: Fields) -> Fields:
    """The embedded contact in the spelling of a flat one; names are read in any case, the address is unfolded."""
    given = item.get("contact")
    folded = {str(name).lower(): value for name, value in given.items()} if isinstance(given, dict) else {}
    flat = {SPELLINGS.get(name, name): value for name, value in folded.items()}
    address = flat.pop("address", None)
    return {**flat, **(address if isinstance(address, dict) else {})}


def is_named(giver: Fields) -> bool:
    """Whether a contact could be made of it."""
    return filled(giver.get("name")) or (filled(giver.get("firstName")) and filled(giver.get("lastName")))


def _giver(
    organization: Organization, held: Held, entry: Entry, now: datetime
) -> tuple[Contact | None, Individual | None]:
    """The contact by id, reference or e-mail; else a new one, where it has a name."""
    destination, giver = organization.destination, giver_of(held.item)
    if str(giver.get("id") or "").isdecimal():
        known = destination.contacts.get(int(str(giver["id"])))
        return known, known.primary_individual() if known else None
    reference = _reference(held, giver)
    contact, individual = match(destination, reference, giver.get("email"))
    if contact is None and is_named(giver):
        return _new_giver(organization, held, entry, now)
    if contact and reference:
        destination.add_reference(contact, reference)
    return contact, individual


def _new_giver(
    organization: Organization, held: Held, entry: Entry, now: datetime
) -> tuple[Contact, Individual | None]:
    destination, giver = organization.destination, giver_of(held.item)
    contact = destination.new_contact({}, now, lag_seconds=organization.settings.index_lag_seconds)
    if reference := _reference(held, giver):
        destination.add_reference(contact, reference)
    individual = overwrite(destination, contact, None, {"contactType": _type_of(giver), **giver})
    note(entry, contact, "create", giver, now, created=True, submission=held.submission)
    return contact, individual


def _type_of(giver: Fields) -> str:
    return "Household" if filled(giver.get("lastName")) else NAMED_TYPES[0]


def _reference(held: Held, giver: Fields) -> Reference | None:
    """The embedded contact names no source: the transaction's is taken for it."""
    source, key = held.item.get("transactionSource") or held.source, giver.get("referenceId")
    return (str(source), str(key)) if source and key not in (None, "") else None


def known_giver(destination: Destination, giver: Fields) -> bool:
    """Whether an id, where there is one, names a contact."""
    given = giver.get("id")
    return given in (None, "") or (str(given).isdecimal() and int(str(given)) in destination.contacts)
