"""The import pipeline: submissions are checked at once, held, and applied in order by a later run."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from deploy.sandbox.crm.changes import (
    ADDRESS_PARTS,
    DEFAULT_TYPES,
    merge_custom_fields,
    note,
    prefer_address,
    prefer_method,
    tag_by_name,
)
from deploy.sandbox.crm.destination import Contact, Destination, Fields, Held, Individual
from deploy.sandbox.crm.validation import invalid_flat, refuse_invalid, require_object
from deploy.sandbox.exchange import Call, Refusal, Reply
from deploy.sandbox.journal import Entry, Journal
from deploy.sandbox.organization import Organization

BATCH_LIMIT = 100
AT_ONCE_SECONDS = 0.2
SCALARS = ("contactType", "name", "informalName", "description", "website", "originSegmentCode")
PERSONAL = ("title", "firstName", "middleName", "lastName", "suffix", "gender", "birthDate")
BIRTH_PARTS = ("birthMonth", "birthDay", "birthYear")


def submit_one(call: Call) -> Reply:
    """Holds one contact; the answer says nothing about what will become of it."""
    item = require_object(call.body)
    refuse_invalid(invalid_flat(item, prefix=""), call.organization.settings)
    return _hold(call, item.get("referenceSource"), [item])


def submit_batch(call: Call) -> Reply:
    """Holds all contacts of a batch, or, when any is invalid, none."""
    body = require_object(call.body)
    items = body.get("contacts")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise Refusal(400, "BAD_REQUEST", "contacts must be an array of objects.")
    if len(items) > BATCH_LIMIT:
        raise Refusal(400, "BAD_REQUEST", f"A batch may hold at most {BATCH_LIMIT} contacts.")
    details = [detail for at, item in enumerate(items) for detail in invalid_flat(item, prefix=f"contacts[{at}].")]
    refuse_invalid(details, call.organization.settings)
    return _hold(call, body.get("referenceSource"), items)


def run_due(organization: Organization, journal: Journal, now: datetime) -> int:
    """Imports what has waited long enough; gives the number of items."""
    return _run(organization, journal, now, _due(organization, now))


def run_all(organization: Organization, journal: Journal, now: datetime) -> int:
    """Imports everything held, as when a person presses the button."""
    return _run(organization, journal, now, list(organization.destination.held))


def _hold(call: Call, source: object, items: list[Fields]) -> Reply:
    named = None if source is None else str(source)
    for item in items:
        call.organization.destination.held.append(Held(call.entry.seq, call.now, named, item))
    call.entry.references = tuple(reference for item in items if (reference := _reference(named, item)))
    return Reply()


def _due(organization: Organization, now: datetime) -> list[Held]:
    """The items at the head of the line whose time has come; nothing overtakes."""
    settings = organization.settings
    if settings.import_mode == "by_hand":
        return []
    seconds = AT_ONCE_SECONDS if settings.import_mode == "at_once" else settings.import_delay_seconds
    return list(_head(organization.destination, now - timedelta(seconds=seconds)))


def _head(destination: Destination, submitted_until: datetime) -> Iterator[Held]:
    for held in destination.held:
        if held.submitted_at > submitted_until:
            return
        yield held


def _run(organization: Organization, journal: Journal, now: datetime, due: list[Held]) -> int:
    if not due:
        return 0
    entry = journal.begin(
        at=now.timestamp(), system="crm", organization=organization.name, method="IMPORT", route="", path="", query=""
    )
    for held in due:
        organization.destination.held.popleft()
        _import(organization, held, entry, now)
    references = (_reference(held.source, held.item) for held in due)
    entry.references = tuple(reference for reference in references if reference)
    entry.applied = True
    entry.finished_at = now.timestamp()
    return len(due)


def _import(organization: Organization, held: Held, entry: Entry, now: datetime) -> None:
    destination, item = organization.destination, held.item
    reference = _reference(held.source, item)
    contact, individual = _match(destination, reference, item)
    action = "merge"
    if contact is None:
        action = "create"
        lag_seconds = organization.settings.index_lag_seconds
        contact = destination.new_contact({}, now, lag_seconds=lag_seconds)
    if reference:
        destination.add_reference(contact, reference)
    _overwrite(destination, contact, individual, item)
    contact.modified = now
    note(entry, contact, action, _given(item), now, submission=held.submission, reference=reference)


def _match(
    destination: Destination, reference: tuple[str, str] | None, item: Fields
) -> tuple[Contact | None, Individual | None]:
    """By reference first, then by the e-mail address of a person whose contact is not archived."""
    if reference and (contact := destination.by_reference(reference)):
        return contact, contact.primary_individual()
    for individual in destination.with_email(item.get("email") or ""):
        contact = destination.contacts[individual.contact_id]
        if not contact.archived:
            return contact, individual
    return None, None


def _overwrite(destination: Destination, contact: Contact, individual: Individual | None, item: Fields) -> None:
    contact.fields.update({name: item[name] for name in SCALARS if item.get(name)})
    if item.get("customFields"):
        merge_custom_fields(contact.fields, item["customFields"])
    personal = {name: item[name] for name in (*PERSONAL, *BIRTH_PARTS) if item.get(name)}
    if individual is None and personal:
        individual = destination.new_individual(contact, {})
    if individual:
        individual.fields.update(personal)
        for name, default in DEFAULT_TYPES.items():
            if value := item.get(name):
                label = str(item.get(f"{name}Type") or default)
                prefer_method(destination, individual, label=label, value=str(value))
    prefer_address(destination, contact, {part: item.get(part) for part in ADDRESS_PARTS})
    tag_by_name(destination, contact, str(item.get("tags") or ""))


def _given(item: Fields) -> Fields:
    return {name: value for name, value in item.items() if value not in (None, "")}


def _reference(source: str | None, item: Fields) -> tuple[str, str] | None:
    """An item may name a source of its own; else the batch's counts."""
    source = item.get("referenceSource") or source
    key = item.get("referenceId")
    return (str(source), str(key)) if source and key not in (None, "") else None
