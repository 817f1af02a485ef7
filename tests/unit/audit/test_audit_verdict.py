"""Each kind of break, planted in the evidence of a faultless synchronisation, must fail the audit and be named."""

import copy

import pytest
from support.audit_evidence import START, Evidence, change, clean_world, first_user, new_world, synchronise

from deploy.audit.report import Kind
from deploy.audit.run import behind, is_quiet, judge


@pytest.fixture
def evidence():
    return Evidence(clean_world())


def row_of(report, name="acme"):
    return next(row for row in report.rows if row.organization == name)


def kinds(report):
    return {finding.kind for finding in report.findings}


def test_a_faultless_synchronisation_passes(evidence):
    report = evidence.judged()

    assert report.passed, report.findings
    assert (row_of(report).source, row_of(report).destination) == (6, 6)


def test_an_audit_of_nothing_does_not_pass():
    assert not judge({"organizations": {}}, []).passed


def test_a_contact_that_is_gone_is_missing(evidence):
    del evidence.destination()["contacts"][0]

    report = evidence.judged()

    assert kinds(report) == {Kind.MISSING}
    assert row_of(report).missing == 1


def test_an_archived_contact_does_not_count(evidence):
    evidence.destination()["contacts"][0]["isArchived"] = True

    assert kinds(evidence.judged()) == {Kind.MISSING}


@pytest.mark.parametrize(
    ("place", "key", "field"),
    [
        ("person", "firstName", "first_name"),
        ("person", "lastName", "last_name"),
        ("person", "gender", "gender"),
        ("person", "birthMonth", "birth_month"),
        ("person", "birthDay", "birth_day"),
        ("person", "birthYear", "birth_year"),
        ("email", "value", "email"),
        ("phone", "value", "phone"),
        ("address", "address1", "address1"),
        ("address", "city", "city"),
        ("address", "state", "state"),
        ("address", "postal", "postal"),
        ("address", "country", "country"),
    ],
)
def test_every_mapped_field_is_compared(evidence, place, key, field):
    part_of(evidence.destination()["contacts"][1], place)[key] = "Other thing"

    report = evidence.judged()

    assert [(finding.kind, finding.field) for finding in report.findings] == [(Kind.WRONG, field)]


def part_of(contact, place):
    person = contact["contactIndividuals"][0]
    if place in ("person", "address"):
        return person if place == "person" else contact["address"]
    return next(row for row in person["contactMethods"] if place in row["type"].lower() and row["isPrimary"])


def test_two_fields_that_are_swapped_are_both_wrong(evidence):
    person = evidence.destination()["contacts"][1]["contactIndividuals"][0]
    person["firstName"], person["lastName"] = person["lastName"], person["firstName"]

    assert row_of(evidence.judged()).wrong == 2


def test_the_letter_case_of_an_address_does_not_matter(evidence):
    method = part_of(evidence.destination()["contacts"][1], "email")
    method["value"] = method["value"].upper()

    assert evidence.judged().passed


def test_a_value_that_the_source_has_blanked_may_stay_but_no_other():
    made = clean_world()
    user_id = first_user(made)
    change(made, user_id, phone=None)
    assert Evidence(made).judged().passed

    evidence = Evidence(made)
    (contact,) = (
        row for row in evidence.destination()["contacts"] if row["contactReferences"][0]["id"] == str(user_id)
    )
    part_of(contact, "phone")["value"] = "555-999"

    assert kinds(evidence.judged()) == {Kind.WRONG}


def test_a_field_that_the_source_never_shows_is_not_demanded():
    made = new_world()
    synchronise(made)
    synchronise(made, "brook")
    user = made.organizations["acme"].source.directory.get(first_user(made))
    user.omitted = frozenset({"phone"})
    change(made, user.id, phone="555-300")

    assert Evidence(made).judged().passed


def test_a_second_contact_with_the_same_reference_is_a_duplicate(evidence):
    contacts = evidence.destination()["contacts"]
    contacts.append({**contacts[0], "id": 9000})

    report = evidence.judged()

    assert Kind.DUPLICATE in kinds(report)
    assert row_of(report).duplicates == 1


def test_a_second_contact_without_reference_is_given_away_by_its_address(evidence):
    contacts = evidence.destination()["contacts"]
    contacts.append({**contacts[0], "id": 9000, "contactReferences": []})

    report = evidence.judged()

    assert [(finding.kind, finding.field) for finding in report.findings] == [(Kind.DUPLICATE, "email")]


def test_a_contact_of_a_user_that_never_was_is_wrong(evidence):
    evidence.destination()["contacts"][0]["contactReferences"][0]["id"] = "999999"

    assert kinds(evidence.judged()) >= {Kind.WRONG, Kind.MISSING}


@pytest.mark.parametrize("where", ["contact", "held", "write"])
def test_another_organizations_canary_is_a_mix_up(evidence, where):
    foreign = evidence.export["organizations"]["brook"]["canary"]
    if where == "contact":
        evidence.destination()["contacts"][0]["description"] = f"met {foreign.upper()}"
    elif where == "held":
        evidence.destination()["held"].append({"item": {"lastName": foreign}})
    else:
        evidence.journal[-1]["writes"][0]["fields"]["last_name"] = foreign

    report = evidence.judged()

    assert row_of(report).mixed == 1
    assert Kind.MIXED in kinds(report)


def test_what_was_deleted_at_the_source_and_kept_is_told_and_does_not_fail():
    made = clean_world()
    organization = made.organizations["acme"]
    organization.source.delete(first_user(made), moment_of(made))

    report = Evidence(made).judged()

    assert report.passed
    assert row_of(report).kept_after_delete == 1


def moment_of(made):
    from deploy.sandbox.organization import moment

    return moment(made.clock)


@pytest.mark.parametrize("where", ["journal", "history"])
def test_evidence_with_a_gap_proves_nothing(evidence, where):
    if where == "journal":
        del evidence.journal[1]
    else:
        del evidence.source()["history"][3]

    assert Kind.RECORD in kinds(evidence.judged())


def test_a_finding_that_belongs_to_no_customer_fails_the_audit(evidence):
    evidence.journal[-1]["seq"] += 1

    report = evidence.judged()

    assert [row.passed for row in report.rows] == [True, True]
    assert not report.passed


def test_a_contact_that_no_write_explains_proves_nothing(evidence):
    evidence.journal = [row for row in evidence.journal if row["organization"] == "acme"]
    for number, row in enumerate(evidence.journal, 1):
        row["seq"] = number

    assert kinds(evidence.judged()) == {Kind.RECORD}


def test_no_finding_holds_a_value(evidence):
    user = next(iter(evidence.source()["users"].values()))
    values = {str(user[name]) for name in ("first_name", "last_name", "email", "phone")}
    for contact in evidence.destination()["contacts"]:
        contact["contactIndividuals"][0]["lastName"] = evidence.export["organizations"]["brook"]["canary"]

    text = str(evidence.judged().to_json())

    assert not [value for value in values if value in text]


def test_quiet_means_that_nothing_is_held_missing_or_different():
    made = clean_world()
    assert is_quiet(Evidence(made).export, only_people=True)

    change(made, first_user(made), phone="555-300")
    changed = Evidence(made).export
    assert behind(changed, only_people=True) == {"acme": 1, "brook": 0}
    assert not is_quiet(changed, only_people=True)

    synchronise(made)
    evidence = Evidence(made)
    assert is_quiet(evidence.export, only_people=True)
    evidence.destination("brook")["held"].append({"submission": 1, "at": START.timestamp(), "source": None, "item": {}})
    assert not is_quiet(evidence.export, only_people=True)


@pytest.mark.parametrize(("victim", "other"), [("acme", "brook"), ("brook", "acme")])
@pytest.mark.parametrize("field", ["path", "query", "references"])
def test_a_question_for_another_organizations_record_is_a_mix_up_whoever_asks(evidence, victim, other, field):
    foreign = evidence.export["organizations"][other]["canary"]
    asked = {"path": f"/x/{foreign}", "query": f"q={foreign}", "references": [["Syncfleet", foreign]]}
    evidence.request(organization=victim, **{field: asked[field]})

    report = evidence.judged()

    assert kinds(report) == {Kind.MIXED}
    assert (row_of(report, victim).mixed, row_of(report, other).mixed) == (1, 0)


def second_contact(evidence):
    """Of somebody who has one; no other address or value gives it away."""
    contacts = evidence.destination()["contacts"]
    contacts.append({**copy.deepcopy(contacts[0]), "id": 9000})
    return contacts[-1]


def test_a_second_contact_with_another_address_is_given_away_by_its_reference(evidence):
    part_of(second_contact(evidence), "email")["value"] = "other@example.org"

    found = [(finding.kind, finding.field) for finding in evidence.judged().findings]

    assert (Kind.DUPLICATE, "reference") in found


def test_every_contact_of_a_user_is_compared(evidence):
    part_of(second_contact(evidence), "phone")["value"] = "555-999"

    found = [(finding.kind, finding.field) for finding in evidence.judged().findings]

    assert (Kind.WRONG, "phone") in found


def test_the_letter_case_of_a_name_matters(evidence):
    person = part_of(evidence.destination()["contacts"][1], "person")
    person["firstName"] = person["firstName"].upper()

    assert kinds(evidence.judged()) == {Kind.WRONG}
