"""What must be at the destination: every record, once, as the source has it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from deploy.audit.model import Contact, Organization, User
from deploy.audit.report import Finding, Kind
from deploy.audit.versions import Versions


def ours(organization: Organization) -> Mapping[str, list[Contact]]:
    """The contacts of each user, the archived ones left out, the oldest first."""
    found: dict[str, list[Contact]] = defaultdict(list)
    for contact in sorted(organization.contacts, key=lambda contact: contact.contact_id):
        for user_id in contact.user_ids:
            if not contact.archived:
                found[user_id].append(contact)
    return found


def missing(organization: Organization) -> Iterator[Finding]:
    there = ours(organization)
    for user_id in organization.users:
        if user_id not in there:
            yield _finding(organization, Kind.MISSING, user_id, "", "no contact carries this user's reference")


def wrong(organization: Organization, versions: Versions) -> Iterator[Finding]:
    """Every contact of a user is compared, also a surplus one."""
    for user_id, contacts in ours(organization).items():
        user = organization.users.get(user_id)
        if user is not None:
            for contact in contacts:
                yield from _differences(organization, user, contact, versions)
        elif user_id not in organization.deleted:
            yield _finding(organization, Kind.WRONG, user_id, "reference", "a contact refers to a user that never was")


def _differences(organization: Organization, user: User, contact: Contact, versions: Versions) -> Iterator[Finding]:
    for field, expected in user.expected.items():
        shown = contact.shown[field]
        if shown != expected and not _kept(user, field, shown, versions):
            what = f"contact {contact.contact_id} does not show what the source has"
            yield _finding(organization, Kind.WRONG, user.user_id, field, what)


def _kept(user: User, field: str, shown: str, versions: Versions) -> bool:
    """What the source has blanked may stay at the destination, if it was the source's own value once."""
    return not user.expected[field] and shown in versions.of(user.user_id, field)


def duplicates(organization: Organization) -> Iterator[Finding]:
    """Each surplus contact once, whether its reference gives it away or only its e-mail address."""
    surplus: dict[int, Finding] = {}
    for user_id, contacts in ours(organization).items():
        for contact in contacts[1:]:
            what = f"contact {contact.contact_id} carries the reference that {contacts[0].contact_id} has"
            surplus[contact.contact_id] = _finding(organization, Kind.DUPLICATE, user_id, "reference", what)
    for contact, first in _doubled_addresses(organization):
        what = f"contact {contact.contact_id} has the address that {first.contact_id} has"
        owner = next(iter(contact.user_ids), "")
        surplus.setdefault(contact.contact_id, _finding(organization, Kind.DUPLICATE, owner, "email", what))
    yield from surplus.values()


def _doubled_addresses(organization: Organization) -> Iterator[tuple[Contact, Contact]]:
    """Contacts beyond as many as the source has users with this address; only addresses of the sandbox's making."""
    users: dict[str, int] = defaultdict(int)
    for user in organization.users.values():
        users[user.expected.get("email", "")] += 1
    for address, contacts in _by_address(organization).items():
        for contact in contacts[max(1, users[address]) :]:
            yield contact, contacts[0]


def _by_address(organization: Organization) -> Mapping[str, list[Contact]]:
    canary = organization.canary.lower()
    found: dict[str, list[Contact]] = defaultdict(list)
    for contact in sorted(organization.contacts, key=lambda contact: contact.contact_id):
        if canary in contact.email and not contact.archived:
            found[contact.email].append(contact)
    return found


def kept_after_delete(organization: Organization) -> int:
    return sum(1 for user_id in ours(organization) if user_id in organization.deleted)


def _finding(organization: Organization, kind: Kind, entity_id: str, field: str, what: str) -> Finding:
    return Finding(organization=organization.name, kind=kind, entity_id=entity_id, field=field, explanation=what)
