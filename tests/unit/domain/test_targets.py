"""Which custom fields of a mapping are missing, and how that is kept."""

from __future__ import annotations

from datetime import timedelta

from support.builders import NOW

from common.domain.mapping import read_mapping
from common.domain.targets import MAPPING_TARGETS, MissingTarget, keep, kept, missing_targets
from common.storage.memory.references import MemoryReferenceCache

LATER = NOW + timedelta(seconds=1)


class Organization:
    """A destination that has these custom fields, and notes what it is asked."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.asked: list[str] = []

    def missing_fields(self, resource, names):
        self.asked.append(resource)
        return [name for name in names if name not in self.names]


def mapping(**fields):
    said = {name: {"fields": [{"from": "phone", "to": f"custom:{to}"} for to in tos]} for name, tos in fields.items()}
    said["groups"] = {"off": True}
    return read_mapping("acme", said)


def test_every_missing_field_is_named_with_its_resource_and_the_others_are_not():
    there = Organization("Shirt")

    found = missing_targets(there, mapping(users=["Shirt", "Shoe", "Hat"]))

    assert found == [MissingTarget(resource="users", field="Shoe"), MissingTarget(resource="users", field="Hat")]
    assert found[0].told("acme", "crm_plus") == (
        "customer 'acme': mapping.users: crm_plus has no custom field 'Shoe'; create it there, or correct `to`"
    )


def test_a_mapping_without_custom_fields_asks_nothing():
    there = Organization()

    assert missing_targets(there, read_mapping("acme", {"groups": {"off": True}})) == []
    assert there.asked == []


def test_of_two_looks_the_one_that_asked_later_stays():
    references = MemoryReferenceCache()
    keep(references, "acme", [], LATER)
    keep(references, "acme", [MissingTarget(resource="users", field="Shoe")], NOW)

    assert kept(references.get("acme", MAPPING_TARGETS, not_before=NOW)) == []


def test_what_was_kept_is_read_as_it_was():
    references = MemoryReferenceCache()
    found = [MissingTarget(resource="users", field="Shoe")]
    keep(references, "acme", found, NOW)

    assert kept(references.get("acme", MAPPING_TARGETS, not_before=NOW)) == found
