"""What an organization's settings put into CRM+ before anything happens: tags, and contacts of the vendor's making."""

from collections.abc import Iterable
from datetime import datetime

from deploy.sandbox.crm.changes import add_address, set_method
from deploy.sandbox.crm.destination import Destination
from deploy.sandbox.settings import Settings
from deploy.sandbox.volunteer.directory import User

#: Under which source the vendor's own integration is said to leave its references.
VENDOR_SOURCE = "VOMO"
#: One user in so many has joined something, and was therefore sent by the vendor's integration.
VENDOR_SHARE = 3


def seed_destination(destination: Destination, users: Iterable[User], settings: Settings, now: datetime) -> None:
    for name in settings.tags:
        add_tag_definition(destination, name)
    if settings.vendor_integration:
        for user in sorted(users, key=lambda user: user.id)[::VENDOR_SHARE]:
            _add_vendor_contact(destination, user, now)


def add_tag_definition(destination: Destination, name: str) -> int:
    """The id of the tag of that name, which is made where there is none."""
    known = {given.lower(): tag_id for tag_id, given in destination.tags.items()}
    if name.lower() in known:
        return known[name.lower()]
    tag_id = next(destination.tag_ids)
    destination.tags[tag_id] = name
    return tag_id


def _add_vendor_contact(destination: Destination, user: User, now: datetime) -> None:
    """Name, e-mail address, phone and address as the user has them now."""
    contact = destination.new_contact({"contactType": "Household"}, now, lag_seconds=0)
    names = {"firstName": user.values["first_name"], "lastName": user.values["last_name"]}
    individual = destination.new_individual(contact, names)
    for name, label in (("email", "Home Email"), ("phone", "Home Phone")):
        if value := user.values.get(name):
            set_method(destination, individual, label=label, value=str(value), primary=True)
    if user.address_parts:
        add_address(destination, contact, user.address_parts, primary=True)
    destination.add_reference(contact, (VENDOR_SOURCE, str(user.id)))
