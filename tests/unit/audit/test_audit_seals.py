"""What one rule of the seals alone would notice is noticed: whoever tampers has mended all the others."""

from __future__ import annotations

import pytest
from support.sealed import Desk, copy_of, evidence_of, new_world, renumber, reseal, synchronise

from deploy.audit.run import verdict
from deploy.audit.seals import digest
from deploy.audit.tampering import tampering

NOTE = "note/20009"
EVERYWHERE = ("(all)", "")


def synchronised():
    world = new_world()
    synchronise(Desk(world, "acme"))
    return world


@pytest.fixture(scope="module")
def original():
    return evidence_of(synchronised())


@pytest.fixture
def evidence(original):
    return copy_of(original)


@pytest.fixture
def under_way():
    """Evidence whose last entry is still being answered."""
    world = synchronised()
    world.journal.begin(at=5.0, system="crm", organization="acme", method="GET")
    world.arrivals["acme", "crm"] += 1
    return evidence_of(world)


def places(evidence):
    return {(finding.organization, finding.entity_id) for finding in tampering(evidence)}


def source(evidence):
    return evidence.export["organizations"]["acme"]["source"]


def destination(evidence):
    return evidence.export["organizations"]["acme"]["destination"]


def test_a_journal_that_was_chained_anew_does_not_end_as_it_was_sealed(evidence):
    end = evidence.seal["seal"]
    evidence.journal[4]["started_at"] = 5.0
    reseal(evidence)
    assert places(evidence) == set()

    evidence.seal["seal"] = end
    assert places(evidence) == {EVERYWHERE}


def test_entries_in_another_order_than_their_numbers_show(evidence):
    """Their chain is that of the closing, and whole."""
    evidence.journal[3], evidence.journal[5] = evidence.journal[5], evidence.journal[3]

    assert places(evidence) == {EVERYWHERE}


def test_an_entry_under_way_that_was_removed_is_missed_though_its_arrival_was_taken_back(under_way):
    under_way.journal.pop()
    under_way.seal["arrivals"]["acme"]["crm"] -= 1

    assert places(under_way) == {EVERYWHERE}


def test_an_entry_under_way_that_was_given_an_end_shows(under_way):
    under_way.journal[-1]["finished_at"] = 6.0

    assert places(under_way) == {EVERYWHERE}


def test_the_only_request_to_a_system_is_missed(evidence):
    assert [row["system"] for row in evidence.journal].count("volunteer") == 1
    del evidence.journal[0]
    renumber(evidence.journal)
    reseal(evidence)

    assert ("acme", "volunteer") in places(evidence)


def test_an_entry_that_left_a_record_otherwise_does_not_explain_it(evidence):
    evidence.journal[4]["touched"][NOTE] = "0" * 32
    reseal(evidence)

    assert places(evidence) == {("acme", NOTE)}


def test_another_customers_entry_explains_nothing(evidence):
    evidence.journal[4]["organization"] = "brook"
    evidence.seal["arrivals"]["acme"]["crm"] -= 1
    evidence.seal["arrivals"]["brook"] = {"crm": 1}
    reseal(evidence)

    assert places(evidence) == {("acme", NOTE)}


@pytest.mark.parametrize(
    ("kind", "table"),
    [
        ("contact", "contacts"), ("tag", "contact_tags"), ("note", "notes"), ("opportunity", "opportunities"),
        ("volunteer", "volunteers"), ("attendance", "attendances"), ("attendance", "transaction_attendances"),
        ("gift", "gifts"), ("held", "held"), ("held_gift", "held_gifts"),
    ],
)  # fmt: skip
def test_a_record_that_nobody_brought_is_unexplained_in_every_table(evidence, kind, table):
    destination(evidence)[table].append({"id": 9, "submission": 9, "source": None, "item": {}})

    assert ("acme", f"{kind}/9") in places(evidence)


@pytest.mark.parametrize("table", ["tags", "projects", "custom_fields"])
def test_definitions_that_nobody_made_are_unexplained(evidence, table):
    destination(evidence)[table] = [{"id": 9}]

    assert ("acme", f"definitions/{table}") in places(evidence)


@pytest.mark.parametrize(
    ("resource", "table"),
    [
        ("projects", "projects"), ("project_dates", "dates"), ("groups", "groups"), ("campaigns", "campaigns"),
        ("forms", "forms"), ("form_completions", "completions"), ("certificates", "certificates"),
        ("earned_certificates", "earned"),
    ],
)  # fmt: skip
def test_a_row_of_the_source_that_nobody_edited_is_unexplained_in_every_table(evidence, resource, table):
    source(evidence)[table].append({"id": 9, "members": []})

    assert ("acme", f"{resource}/9") in places(evidence)


def test_hours_and_members_that_nobody_edited_are_unexplained(evidence):
    source(evidence)["participations"]["4101"] = [{"id": "9:4101"}]
    source(evidence)["groups"][0]["members"].append(9)

    group = source(evidence)["groups"][0]["id"]
    assert places(evidence) >= {("acme", "participations/9:4101"), ("acme", f"group_members/{group}:9")}


def test_what_is_gone_from_the_source_without_an_edit_is_missed(evidence):
    del source(evidence)["users"]["4101"], source(evidence)["projects"][0]

    assert places(evidence) >= {("acme", "users/4101"), ("acme", "projects/701")}


@pytest.mark.parametrize("log", ["history", "changes"])
def test_a_log_of_edits_that_was_altered_breaks_its_seal_although_the_state_follows_from_it(evidence, log):
    source(evidence)[log][0]["at"] = 5.0
    evidence.seal["export"] = digest(evidence.export)

    assert places(evidence) == {("acme", log)}


def test_evidence_of_another_shape_fails_the_audit_and_does_not_stop_it(evidence):
    evidence.export["organisations"] = evidence.export.pop("organizations")
    evidence.seal["export"] = digest(evidence.export)

    assert not verdict(evidence).passed
