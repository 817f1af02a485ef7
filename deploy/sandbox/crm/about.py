"""What an organization says about itself: its identity and its contact types."""

from deploy.sandbox.exchange import Call, Reply

CONTACT_TYPES = (("Household", "Household"), ("Organization", "Organization"), ("Foundation", "Foundation"))
TIME_ZONES = ("Central Standard Time", "Pacific Standard Time", "Eastern Standard Time")


def show_organization(call: Call) -> Reply:
    name = call.organization.name
    return Reply(
        payload={
            "organizationUserId": 7000 + len(name),
            "organizationName": f"{name} (Sandbox)",
            "organizationTimeZone": TIME_ZONES[len(name) % len(TIME_ZONES)],
            "organizationCulture": "en-US",
            "currentUserTimeZone": "Central Standard Time",
            "isAdministrator": False,
            "isEnabled": True,
        }
    )


def list_contact_types(_call: Call) -> Reply:
    return Reply(payload=[{"parentType": parent, "type": type_name} for parent, type_name in CONTACT_TYPES])
