"""A journal or a state that somebody has tampered with fails the audit, whatever was done to it."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from support.sealed import Desk, copy_of, evidence_of, new_world, renumber, reseal, synchronise

from deploy.audit.report import Kind
from deploy.audit.run import verdict
from deploy.audit.tampering import tampering


@pytest.fixture(scope="module")
def original():
    made = new_world()
    synchronise(Desk(made, "acme"))
    return evidence_of(made)


@pytest.fixture
def evidence(original):
    return copy_of(original)


@pytest.fixture
def made():
    """A world whose state can be altered behind the journal's back."""
    world = new_world()
    synchronise(Desk(world, "acme"))
    return world


def places(evidence):
    """Where `tampering` shows, with what was found there."""
    return {(finding.organization, finding.entity_id) for finding in tampering(evidence)}


def fails(evidence):
    report = verdict(evidence, only_people=True)
    return not report.passed and Kind.RECORD in {finding.kind for finding in report.findings}


def test_evidence_that_nobody_touched_shows_no_tampering(evidence):
    assert list(tampering(evidence)) == []
    assert len(evidence.journal) == 10


@pytest.mark.parametrize("numbers", ["as they were", "renumbered"])
@pytest.mark.parametrize("at", [0, 4, -1], ids=["first", "middle", "last"])
def test_an_entry_that_was_removed_is_missed(evidence, at, numbers):
    del evidence.journal[at]
    if numbers == "renumbered":
        renumber(evidence.journal)

    assert fails(evidence)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("started_at", 5.0), ("finished_at", 5.0), ("status", 500), ("organization", "brook"), ("system", "volunteer"),
        ("method", "GET"), ("path", "/elsewhere"), ("fault", "error"), ("applied", False), ("writes", []),
        ("references", [["Syncfleet", "1"]]), ("touched", {}), ("closed", 3), ("closed", None), ("seal", "0" * 32),
    ],
)  # fmt: skip
def test_an_entry_that_was_altered_breaks_its_seal(evidence, field, value):
    evidence.journal[4][field] = value

    assert fails(evidence)


def test_the_body_of_a_write_that_was_altered_breaks_the_seal(evidence):
    evidence.journal[4]["writes"][0]["fields"]["note"] = "Came late."

    assert fails(evidence)


@pytest.mark.parametrize("numbers", ["as they were", "renumbered"])
def test_entries_that_were_swapped_show(evidence, numbers):
    evidence.journal[4], evidence.journal[6] = evidence.journal[6], evidence.journal[4]
    if numbers == "renumbered":
        renumber(evidence.journal)

    assert fails(evidence)


@pytest.mark.parametrize("numbers", ["as they were", "renumbered"])
@pytest.mark.parametrize("at", [0, 5, 10], ids=["first", "middle", "last"])
def test_an_entry_that_was_inserted_or_doubled_shows(evidence, at, numbers):
    evidence.journal.insert(at, copy.deepcopy(evidence.journal[3]))
    if numbers == "renumbered":
        renumber(evidence.journal)

    assert fails(evidence)


def test_an_empty_journal_is_no_journal(evidence):
    evidence.journal.clear()
    assert fails(evidence)

    evidence.seal.update(entries=0, count=0, seal="")
    assert fails(evidence)


@pytest.mark.parametrize("what", ["removed", "inserted"])
def test_a_journal_that_was_chained_anew_disagrees_with_the_requests_that_were_counted(evidence, what):
    """A reading: it left nothing in the state."""
    if what == "removed":
        del evidence.journal[3]
    else:
        evidence.journal.append(copy.deepcopy(evidence.journal[3]))
    renumber(evidence.journal)
    reseal(evidence)

    assert places(evidence) >= {("acme", "crm")}
    assert fails(evidence)


def test_a_journal_that_was_chained_anew_with_another_write_disagrees_with_the_state(evidence):
    evidence.journal[4]["touched"] = {}
    reseal(evidence)

    assert places(evidence) == {("acme", "note/20009")}


def test_evidence_without_its_seal_proves_nothing(evidence):
    assert fails(evidence._replace(seal={}))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("destination", "contacts", 0, "name"), "Somebody Else"),
        (("destination", "notes", 0, "note"), "Came late."),
        (("destination", "attendances", 0, "hours"), "3.00"),
        (("settings", "crm_requests_per_hour"), 10**9),
        (("source", "users", "4101", "phone"), "555-1234"),
        (("source", "projects", 0, "name"), "Other"),
    ],
)
def test_a_state_that_was_altered_after_it_was_exported_shows(evidence, path, value):
    row = evidence.export["organizations"]["acme"]
    for step in path[:-1]:
        row = row[step]
    row[path[-1]] = value

    assert ("(all)", "") in places(evidence)
    assert fails(evidence)


def alter_contact(world):
    world.organizations["acme"].destination.contacts[1001].individuals[0].fields["firstName"] = "Somebody"
    return "contact/1001"


def alter_note(world):
    (note,) = world.organizations["acme"].destination.notes.values()
    note["note"] = "Came late."
    return f"note/{note['id']}"


def add_note(world):
    notes = world.organizations["acme"].destination.notes
    notes[9] = {**next(iter(notes.values())), "id": 9}
    return "note/9"


def remove_tag(world):
    tags = world.organizations["acme"].destination.contact_tags
    return f"tag/{tags.popitem()[0]}"


def remove_attendance(world):
    return f"attendance/{world.organizations['acme'].destination.attendances.popitem()[0]}"


def rename_tag(world):
    tags = world.organizations["acme"].destination.tags
    tags[next(iter(tags))] = "Other"
    return "definitions/tags"


def alter_user(world):
    world.organizations["acme"].source.directory.get(4101).values["phone"] = "555-1234"
    return "users/4101"


def alter_project(world):
    world.organizations["acme"].source.projects[701]["name"] = "Other"
    return "projects/701"


def alter_history(world):
    world.organizations["acme"].source.history[0]["values"]["phone"] = "555-1234"
    return "history"


@pytest.mark.parametrize(
    "alter",
    [alter_contact, alter_note, add_note, remove_tag, remove_attendance, rename_tag, alter_user, alter_project,
     alter_history],
)  # fmt: skip
def test_a_state_that_changed_without_an_entry_is_unexplained(made, alter):
    """In the sandbox itself: journal, seals and export agree with each other."""
    where = alter(made)
    evidence = evidence_of(made)

    assert ("acme", where) in places(evidence)
    assert fails(evidence)


def test_what_staff_did_is_explained_although_no_entry_tells_of_it(made):
    desk = Desk(made, "acme")
    before = len(made.journal)
    desk.staff("POST", "/contacts/1001/archive")
    desk.staff("POST", "/tags", {"tagName": "Fresh"})
    desk.staff(
        "POST", "/contacts", {"contactType": "Household", "contactIndividuals": [{"firstName": "A", "lastName": "B"}]}
    )

    assert list(tampering(evidence_of(made))) == []
    assert len(made.journal) == before


def test_a_request_that_is_still_being_answered_is_no_tampering(made):
    made.journal.begin(at=5.0, system="crm", organization="acme", method="GET")
    made.arrivals["acme", "crm"] += 1

    assert list(tampering(evidence_of(made))) == []


def leaves(content, path=()):
    """Every path to something that can be altered or taken away."""
    for name, value in content.items() if isinstance(content, dict) else enumerate(content):
        yield (*path, name)
        if isinstance(value, dict | list):
            yield from leaves(value, (*path, name))


VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.just([]), st.just({}))


@pytest.fixture(scope="module")
def all_leaves(original):
    return {part: list(leaves(getattr(original, part))) for part in ("journal", "export")}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_altered_removed_doubled_or_swapped_fails_the_audit(original, all_leaves, data):
    part = data.draw(st.sampled_from(["journal", "journal", "export"]))
    tampered = copy_of(original)
    content = getattr(tampered, part)
    *way, last = data.draw(st.sampled_from(all_leaves[part]))
    for step in way:
        content = content[step]
    match data.draw(st.sampled_from(["alter", "remove", "double", "swap"])):
        case "alter":
            content[last] = data.draw(VALUES)
        case "remove":
            del content[last]
        case "double" if isinstance(content, list):
            content.insert(data.draw(st.integers(0, len(content))), copy.deepcopy(content[last]))
        case "swap":
            other = data.draw(st.sampled_from(list(content) if isinstance(content, dict) else range(len(content))))
            content[last], content[other] = content[other], content[last]
    assume(json.dumps(tampered, sort_keys=True) != json.dumps(original, sort_keys=True))

    assert fails(tampered)
