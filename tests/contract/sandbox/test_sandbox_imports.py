"""The held import: all or nothing at the door, unseen until a run, merged by reference and e-mail."""

import pytest


def test_a_submission_answers_with_nothing_and_is_held(desk, item):
    organization = desk()

    answer = organization.submit(item("1"))

    assert (answer.status_code, answer.content) == (200, b"")
    assert organization.crm.get("/api/Contact/VOMO/1").status_code == 404
    assert len(organization.admin.export(organization.name)["destination"]["held"]) == 1


def test_after_an_import_the_reference_finds_the_contact(desk, item):
    organization = desk()
    organization.submit(item("1"))

    assert organization.admin.run_import(organization.name) == 1
    contact = organization.crm.get("/api/Contact/VOMO/1").json()

    assert contact["contactReferences"] == [{"source": "VOMO", "id": "1"}]
    assert contact["contactIndividuals"][0]["firstName"] == "Fenmar"


def test_a_reference_with_a_slash_can_be_asked_for(desk, item):
    organization = desk()
    organization.submit(item("a/1"), source="Acme/Volunteers")
    organization.admin.run_import(organization.name)

    assert organization.crm.get("/api/Contact/Acme%2FVolunteers/a%2F1").status_code == 200


@pytest.mark.parametrize(
    "settings", [{"import_mode": "at_once"}, {"import_mode": "delayed", "import_delay_seconds": 0.5}]
)
def test_an_import_may_run_by_itself(desk, item, eventually, settings):
    organization = desk(**settings)

    organization.submit(item("1"))

    eventually(lambda: organization.crm.get("/api/Contact/VOMO/1").status_code == 200)


def test_a_single_transaction_goes_the_same_way(desk, item):
    organization = desk()

    answer = organization.crm.post("/api/Contact/Transaction", json={"referenceSource": "VOMO", **item("9")})
    organization.admin.run_import(organization.name)

    assert (answer.status_code, answer.content) == (200, b"")
    assert organization.crm.get("/api/Contact/VOMO/9").status_code == 200


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize(
    ("field", "value"), [("lastName", ...), ("firstName", ""), ("contactType", None), ("email", "nobody")]
)
def test_one_bad_item_refuses_the_whole_batch(desk, item, status, field, value):
    organization = desk(refusal_status=status)

    answer = organization.submit(item("1"), item("2"), item("3", **{field: value}))

    assert answer.status_code == status
    assert [detail["field"] for detail in answer.json()["error"]["details"]] == [f"contacts[2].{field}"]
    assert organization.admin.run_import(organization.name) == 0


def test_a_flat_refusal_names_the_fields_too(desk, item):
    organization = desk(error_shape="flat")

    body = organization.submit(item("1", lastName=...)).json()

    assert list(body["errors"]) == ["contacts[0].lastName"]


def test_a_batch_holds_a_hundred_and_no_more(desk, item):
    organization = desk()

    assert organization.submit(*[item(str(number)) for number in range(101)]).status_code == 400
    assert organization.submit(*[item(str(number)) for number in range(100)]).status_code == 200
    assert organization.admin.run_import(organization.name) == 100


def test_the_same_reference_again_changes_the_contact(desk, item):
    organization = desk()
    organization.submit(item("1"))
    organization.submit(item("1", lastName="Moved", email="new@example.org", phone="555-0101"))
    organization.admin.run_import(organization.name)

    (contact,) = organization.contacts()

    methods = contact["contactIndividuals"][0]["contactMethods"]
    emails = {method["value"]: method["isPrimary"] for method in methods if "Email" in method["type"]}
    assert contact["contactIndividuals"][0]["lastName"] == "Moved"
    assert emails == {"contact1@example.org": False, "new@example.org": True}


def test_an_email_that_is_known_merges_and_adds_the_reference(desk, item):
    organization = desk()
    known = organization.create_contact("known@example.org")
    organization.submit(item("77", email=" KNOWN@example.org "))
    organization.admin.run_import(organization.name)

    contact = organization.crm.get("/api/Contact/VOMO/77").json()

    assert contact["id"] == known["id"]
    assert len(organization.contacts()) == 1


def test_items_are_imported_in_the_order_they_came(desk, item):
    organization = desk()
    for name in ("First", "Second", "Third"):
        organization.submit(item("1", lastName=name))
    organization.admin.run_import(organization.name)

    assert organization.contacts()[0]["contactIndividuals"][0]["lastName"] == "Third"


def test_the_journal_ties_each_import_to_its_submission(desk, item):
    organization = desk()
    organization.submit(item("1"), item("2"))
    organization.admin.run_import(organization.name)

    (submitted,) = organization.journal(method="POST", route="/api/Contact/Batch")
    (imported,) = organization.journal(method="IMPORT")

    assert submitted["references"] == [["VOMO", "1"], ["VOMO", "2"]]
    assert submitted["writes"] == []
    assert [write["submission"] for write in imported["writes"]] == [submitted["seq"]] * 2
    assert [write["action"] for write in imported["writes"]] == ["create", "create"]
    assert imported["writes"][0]["reference"] == ["VOMO", "1"]
    assert imported["writes"][0]["fields"]["email"] == "contact1@example.org"
    assert imported["contact_ids"] == [contact["id"] for contact in organization.contacts()]
