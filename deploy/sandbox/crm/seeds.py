"""What every organization has in CRM+ before anything happens: projects, and definitions of custom fields."""

from typing import Any

#: The resources whose custom fields can be defined; the live service has more.
RESOURCES = ("Contact", "ContactIndividual", "ContactNote", "VolunteerOpportunity", "Gift")
DATA_TYPES = ("Text", "Number", "Date", "Boolean", "Dropdown")
TAGS = ("Volunteer", "Donor", "Newsletter")
FIRST_TAG_ID = 31

Row = dict[str, Any]


def seeded_tags() -> dict[int, str]:
    return dict(enumerate(TAGS, FIRST_TAG_ID))


def seeded_projects() -> dict[int, Row]:
    """Projects, which are funds; one takes no gifts any more."""
    rows = (
        project(11, name="General Fund", projectCode="GEN"),
        project(12, name="Food Relief", projectCode="FOOD"),
        project(13, name="Youth Work", projectCode="YOUTH"),
        project(14, name="Old Roof", projectCode="OLD", isActive=False),
    )
    return {row["id"]: row for row in rows}


def project(project_id: int, **values: Any) -> Row:
    flags = {"isActive": True, "isPublic": True, "isAvailableOnline": True, "isTaxDeductible": True}
    return {"id": project_id, "name": None, "projectCode": None, **flags, **values}


def seeded_definitions() -> dict[str, list[Row]]:
    """At least one field of every data type on contacts, one text on each of the others."""
    contact = [
        definition("Volunteer Id"),
        definition("Shirt Size", dataType="Dropdown", options=["S", "M", "L", "XL"]),
        definition("Hours Goal", dataType="Number"),
        definition("Member Since", dataType="Date"),
        definition("Has Waiver", dataType="Boolean"),
    ]
    others = zip(RESOURCES[1:], ("Dietary Needs", "Form Name", "Project Kind", "Appeal"), strict=True)
    return {"Contact": contact, **{resource: [definition(name)] for resource, name in others}}


def definition(name: str, **values: Any) -> Row:
    return {"name": name, "displayName": name, "dataType": "Text", "options": [], **values}
