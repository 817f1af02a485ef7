"""The import pipeline: submissions are checked at once, held, and applied in order by a later run."""

from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta

from deploy.sandbox.crm.access import BULK_LIMIT
from deploy.sandbox.crm.contact_imports import brings_changes, import_contact, invalid_flat, reference_of
from deploy.sandbox.crm.destination import Fields, Held
from deploy.sandbox.crm.gift_imports import import_gift, pair_of
from deploy.sandbox.crm.proving import prove
from deploy.sandbox.crm.validation import refuse_invalid, require_object
from deploy.sandbox.exchange import Call, Refusal, Reply
from deploy.sandbox.journal import Journal
from deploy.sandbox.organization import Organization

AT_ONCE_SECONDS = 0.2
#: An item in one of these states waits for a person, whatever the organization's mode.
UPDATE_NEEDED, MATCH_NEEDED = "update_needed", "match_needed"


def submit_one(call: Call) -> Reply:
    """Holds one contact; the answer says nothing about what will become of it."""
    item = require_object(call.body)
    refuse_invalid(invalid_flat(call.organization.destination, item, prefix=""), call.organization.settings)
    return _hold(call, item.get("referenceSource"), [item])


def submit_batch(call: Call) -> Reply:
    """Holds all contacts of a batch, or, when any is invalid, none."""
    body, destination = require_object(call.body), call.organization.destination
    items = body.get("contacts")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise Refusal(400, "BAD_REQUEST", "contacts must be an array of objects.")
    if len(items) > BULK_LIMIT:
        raise Refusal(400, "BAD_REQUEST", f"A batch may hold at most {BULK_LIMIT} contacts.")
    checked = (invalid_flat(destination, item, prefix=f"contacts[{at}].") for at, item in enumerate(items))
    refuse_invalid([detail for details in checked for detail in details], call.organization.settings)
    return _hold(call, body.get("referenceSource"), items)


def run_due(organization: Organization, journal: Journal, now: datetime) -> int:
    """Imports what has waited long enough and needs nobody; gives the number of items."""
    settings, destination = organization.settings, organization.destination
    if settings.import_mode == "by_hand":
        return 0
    seconds = AT_ONCE_SECONDS if settings.import_mode == "at_once" else settings.import_delay_seconds
    until = now - timedelta(seconds=seconds)
    contacts = list(_head(destination.held, until))
    if not settings.import_updates:
        contacts = [held for held in contacts if not _set_aside(organization, held)]
    return _run(organization, journal, now, contacts, list(_head(destination.held_gifts, until)))


def run_all(organization: Organization, journal: Journal, now: datetime) -> int:
    """Imports everything held, as when a person presses the button; only a giver nobody knows stays."""
    destination = organization.destination
    return _run(organization, journal, now, list(destination.held), list(destination.held_gifts))


def _hold(call: Call, source: object, items: list[Fields]) -> Reply:
    named = None if source is None else str(source)
    for item in items:
        call.organization.destination.held.append(Held(call.entry.seq, call.now, named, item))
    call.entry.references = tuple(reference for item in items if (reference := reference_of(named, item)))
    return Reply()


def _head(line: deque[Held], submitted_until: datetime) -> Iterator[Held]:
    """The items at the head of the line whose time has come; nothing overtakes but those who wait for a person."""
    for held in line:
        if held.submitted_at > submitted_until:
            return
        if held.status == "held":
            yield held


def _set_aside(organization: Organization, held: Held) -> bool:
    """Whether a person has to decide about the item, judged before the run changes anything."""
    if brings_changes(organization.destination, held):
        held.status = UPDATE_NEEDED
    return held.status == UPDATE_NEEDED


def _run(organization: Organization, journal: Journal, now: datetime, contacts: list[Held], gifts: list[Held]) -> int:
    """Contacts come before gifts, so that a giver of the same run is known."""
    if not contacts and not gifts:
        return 0
    entry = journal.begin(at=now.timestamp(), system="crm", organization=organization.name, method="IMPORT")
    for held in contacts:
        import_contact(organization, held, entry, now)
    imported = [held for held in gifts if import_gift(organization, held, entry, now)]
    for held in gifts:
        held.status = "held" if held in imported else MATCH_NEEDED
    _forget(organization.destination.held, contacts)
    _forget(organization.destination.held_gifts, imported)
    references = [reference_of(held.source, held.item) for held in contacts]
    references += [pair_of(held.source, held.item) for held in imported]
    entry.references = tuple(reference for reference in references if reference)
    entry.applied = True
    prove(organization, entry, {held.submission for held in (*contacts, *gifts)})
    journal.close(entry, at=now.timestamp(), status=None)
    return len(contacts) + len(imported)


def _forget(line: deque[Held], done: list[Held]) -> None:
    ids = {id(held) for held in done}
    rest = [held for held in line if id(held) not in ids]
    line.clear()
    line.extend(rest)
