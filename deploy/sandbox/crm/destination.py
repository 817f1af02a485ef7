"""Everything one organization has in CRM+: contacts with their indexes, what is held, and the sub-resources."""

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from deploy.sandbox.crm.seeds import FIRST_TAG_ID, TAGS, seeded_definitions, seeded_projects, seeded_tags

Fields = dict[str, Any]
Reference = tuple[str, str]


@dataclass(slots=True)
class Individual:
    """A person within a contact."""

    id: int
    contact_id: int
    fields: Fields
    methods: list[Fields] = field(default_factory=list)


@dataclass(slots=True)
class Contact:
    """A household or an organization; never a person."""

    id: int
    fields: Fields
    created: datetime
    modified: datetime
    visible_at: datetime  #: from when lookups by reference or e-mail find it
    individuals: list[Individual] = field(default_factory=list)
    addresses: list[Fields] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    tags: list[Fields] = field(default_factory=list)
    archived: bool = False

    def primary_individual(self) -> Individual | None:
        ranked = sorted(self.individuals, key=lambda individual: not individual.fields.get("isPrimary"))
        return ranked[0] if ranked else None


@dataclass(slots=True)
class Held:
    """A submitted contact or gift that waits for an import run."""

    submission: int  #: the journal's number of the request that brought it
    submitted_at: datetime
    source: str | None
    item: Fields
    status: str = "held"  #: or what a person has to do: "update_needed", "match_needed"


@dataclass
class Destination:
    """Records by id; ids begin alike in every organization, so that a mix-up finds the wrong record."""

    contacts: dict[int, Contact] = field(default_factory=dict)
    individuals: dict[int, Individual] = field(default_factory=dict)
    methods: dict[int, Fields] = field(default_factory=dict)
    addresses: dict[int, Fields] = field(default_factory=dict)
    references: defaultdict[Reference, list[int]] = field(default_factory=lambda: defaultdict(list))
    held: deque[Held] = field(default_factory=deque)
    held_gifts: deque[Held] = field(default_factory=deque)
    tags: dict[int, str] = field(default_factory=seeded_tags)
    contact_tags: dict[int, Fields] = field(default_factory=dict)
    notes: dict[int, Fields] = field(default_factory=dict)
    opportunities: dict[int, Fields] = field(default_factory=dict)
    volunteers: dict[int, Fields] = field(default_factory=dict)
    attendances: dict[int, Fields] = field(default_factory=dict)
    transaction_attendances: list[Fields] = field(default_factory=list)
    projects: dict[int, Fields] = field(default_factory=seeded_projects)
    gifts: dict[int, Fields] = field(default_factory=dict)
    gift_pairs: dict[Reference, int] = field(default_factory=dict)  #: transaction source and id to the gift
    custom_fields: dict[str, list[Fields]] = field(default_factory=seeded_definitions)
    visible_at: dict[int, datetime] = field(default_factory=dict)  #: from when searches find a row of the module
    emails: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    contact_ids: Iterator[int] = field(default_factory=lambda: count(1000))
    individual_ids: Iterator[int] = field(default_factory=lambda: count(5000))
    row_ids: Iterator[int] = field(default_factory=lambda: count(20_000))
    tag_ids: Iterator[int] = field(default_factory=lambda: count(FIRST_TAG_ID + len(TAGS)))

    def new_contact(self, fields: Fields, now: datetime, *, lag_seconds: float) -> Contact:
        visible_at = now + timedelta(seconds=lag_seconds)
        contact = Contact(next(self.contact_ids), fields, now, now, visible_at)
        self.contacts[contact.id] = contact
        return contact

    def new_individual(self, contact: Contact, fields: Fields) -> Individual:
        individual = Individual(next(self.individual_ids), contact.id, fields)
        individual.fields["isPrimary"] = not contact.individuals or bool(fields.get("isPrimary"))
        if individual.fields["isPrimary"]:
            for other in contact.individuals:
                other.fields["isPrimary"] = False
        contact.individuals.append(individual)
        self.individuals[individual.id] = individual
        return individual

    def remove_individual(self, individual: Individual) -> None:
        for method in list(individual.methods):
            self.remove_method(method)
        del self.individuals[individual.id]
        self.contacts[individual.contact_id].individuals.remove(individual)

    def add_method(self, individual: Individual, method: Fields) -> None:
        individual.methods.append(method)
        self.methods[method["id"]] = method
        self.index_email(method)

    def remove_method(self, method: Fields) -> None:
        self.forget_email(method)
        del self.methods[method["id"]]
        self.individuals[method["contactIndividualId"]].methods.remove(method)

    def index_email(self, method: Fields) -> None:
        if is_email(method):
            self.emails[normal(method["value"])].append(method["contactIndividualId"])

    def forget_email(self, method: Fields) -> None:
        if is_email(method):
            self.emails[normal(method["value"])].remove(method["contactIndividualId"])

    def add_reference(self, contact: Contact, reference: Reference) -> None:
        """Nothing keeps two contacts from having the same reference."""
        if reference not in contact.references:
            contact.references.append(reference)
            self.references[reference].append(contact.id)

    def remove_reference(self, contact: Contact, reference: Reference) -> None:
        contact.references.remove(reference)
        self.references[reference].remove(contact.id)

    def by_reference(self, reference: Reference) -> Contact | None:
        ids = self.references.get(reference)
        return self.contacts[ids[0]] if ids else None

    def with_email(self, email: str) -> Iterator[Individual]:
        """Every person with this address, the oldest first."""
        for individual_id in sorted(self.emails.get(normal(email), ())):
            yield self.individuals[individual_id]


def normal(email: object) -> str:
    return str(email).strip().lower()


def is_email(method: Fields) -> bool:
    return kind(method) == "email"


def kind(method: Fields) -> str:
    """Primary is a matter of the kind: e-mail, phone, or other."""
    label = str(method["type"]).lower()
    if "email" in label:
        return "email"
    return "phone" if "phone" in label or "fax" in label else "other"
