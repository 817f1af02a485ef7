"""What an organization's own people do in CRM+ while a synchronisation runs; no request of theirs is in the journal."""

from datetime import datetime
from typing import Any

from deploy.sandbox.crm.building import PERSONAL, PROPERTIES, build_contact, invalid_nested
from deploy.sandbox.crm.changes import ADDRESS_PARTS, DEFAULT_TYPES, add_address, set_method
from deploy.sandbox.crm.custom_fields import invalid_custom_fields, merge_custom_fields
from deploy.sandbox.crm.destination import Contact, Destination, Fields, Individual, kind
from deploy.sandbox.crm.rendering import primary_address
from deploy.sandbox.crm.seeds import DATA_TYPES, definition, project
from deploy.sandbox.exchange import Details


class BadWorkError(ValueError):
    """Raised for something that staff could not have done either."""


class Staff:
    """People at work on one organization's records, at one moment."""

    def __init__(self, destination: Destination, now: datetime) -> None:
        self._destination = destination
        self._now = now

    def create_contact(self, body: Fields) -> Contact:
        """From the body of a creation, plus `references` [{source, id}]; every lookup finds it at once."""
        _refuse(invalid_nested(self._destination, body))
        contact = build_contact(self._destination, body, self._now, lag_seconds=0)
        for row in body.get("references") or ():
            self._destination.add_reference(contact, (str(row["source"]), str(row["id"])))
        return contact

    def change_contact(self, contact: Contact, values: Fields) -> Contact:
        """Corrects in place what is shown first: name, e-mail address, phone, address, custom fields."""
        _refuse(invalid_custom_fields(self._destination, "Contact", values.get("customFields")))
        contact.fields.update({name: values[name] for name in PROPERTIES if name in values})
        merge_custom_fields(self._destination, "Contact", contact.fields, values.get("customFields"))
        if individual := self._individual(contact, values):
            individual.fields.update({name: values[name] for name in PERSONAL if name in values})
            for name, label in DEFAULT_TYPES.items():
                if name in values:
                    self._correct_method(individual, name, label, str(values[name]))
        self._correct_address(contact, {part: values[part] for part in ADDRESS_PARTS if part in values})
        contact.modified = self._now
        return contact

    def archive_contact(self, contact: Contact, *, archived: bool) -> Contact:
        contact.archived, contact.modified = archived, self._now
        return contact

    def merge_contacts(self, loser: Contact, winner: Contact, *, moves_references: bool) -> Contact:
        """Archives the loser and leaves it pointing at the winner; people and methods stay where they are."""
        if loser is winner:
            raise BadWorkError("a contact cannot be merged into itself")
        loser.fields["mergedIntoContactId"] = winner.id
        for reference in list(loser.references) if moves_references else ():
            self._destination.remove_reference(loser, reference)
            self._destination.add_reference(winner, reference)
        winner.modified = self._now
        return self.archive_contact(loser, archived=True)

    def delete_tag(self, tag_id: int) -> None:
        """With everything that ties it to a contact."""
        del self._destination.tags[tag_id]
        for row in [row for row in self._destination.contact_tags.values() if row["tagId"] == tag_id]:
            del self._destination.contact_tags[row["id"]]
            self._destination.contacts[row["contactId"]].tags.remove(row)

    def define_custom_field(self, resource: str, name: str, values: Fields) -> Fields:
        """Adds a definition, or changes one; `name` among the values renames it, and the values of records follow."""
        rows = self._destination.custom_fields[resource]
        known = next((row for row in rows if row["name"] == name), None)
        row = {**(known or definition(name)), **values}
        if row["dataType"] not in DATA_TYPES:
            raise BadWorkError(f"dataType must be one of {DATA_TYPES}")
        if row["name"] != name and any(other["name"] == row["name"] for other in rows):
            raise BadWorkError(f"{resource} has a custom field {row['name']!r} already")
        if known is None:
            rows.append(row)
            return row
        known.update(row)
        self._follow(resource, name, known)
        return known

    def remove_custom_field(self, resource: str, name: str) -> None:
        """With its values."""
        rows = self._destination.custom_fields[resource]
        rows.remove(next(row for row in rows if row["name"] == name))
        self._follow(resource, name, None)

    def put_project(self, project_id: int | None, values: Fields) -> Fields:
        """A new project, or changes to one; raises KeyError for one that does not exist."""
        rows = self._destination.projects
        known = project(max(rows) + 1) if project_id is None else rows[project_id]
        rows[known["id"]] = {**known, **values, "id": known["id"]}
        return rows[known["id"]]

    def _individual(self, contact: Contact, values: Fields) -> Individual | None:
        given = values.get("individualId")
        return contact.primary_individual() if given is None else self._destination.individuals[int(given)]

    def _correct_method(self, individual: Individual, wanted: str, label: str, value: str) -> None:
        """The primary one of its kind, in place; added where there is none."""
        methods = [method for method in individual.methods if kind(method) == wanted and method["isPrimary"]]
        for method in methods:
            self._destination.forget_email(method)
            method["value"] = value
            self._destination.index_email(method)
        if not methods:
            set_method(self._destination, individual, label=label, value=value, primary=True)

    def _correct_address(self, contact: Contact, parts: Fields) -> None:
        known = primary_address(contact)
        if parts and known:
            known.update(parts)
        elif parts:
            add_address(self._destination, contact, parts, primary=True)

    def _follow(self, resource: str, name: str, row: Fields | None) -> None:
        """Renames or removes the values that records have of a custom field."""
        for fields in self._holders(resource):
            values = [each for each in fields.get("customFields", ()) if each["name"] == name]
            for value in values:
                value.update({key: row[key] for key in ("name", "displayName")} if row else {})
            if row is None:
                fields["customFields"] = [each for each in fields.get("customFields", ()) if each not in values]

    def _holders(self, resource: str) -> list[dict[str, Any]]:
        destination = self._destination
        rows: dict[str, list[Fields]] = {
            "Contact": [contact.fields for contact in destination.contacts.values()],
            "ContactIndividual": [individual.fields for individual in destination.individuals.values()],
            "ContactNote": list(destination.notes.values()),
            "VolunteerOpportunity": list(destination.opportunities.values()),
            "Gift": list(destination.gifts.values()),
        }
        return rows[resource]


def _refuse(details: Details) -> None:
    if details:
        raise BadWorkError(f"one or more fields are invalid: {details}")
