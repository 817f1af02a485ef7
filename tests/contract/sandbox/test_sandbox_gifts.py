"""Gifts of the stand-in CRM+: refused at the door, held like contacts, known by their pair; direct ones have no key."""

import pytest


def gift(number, **changes):
    item = {
        "transactionId": str(number),
        "contact": {"firstname": "Fenmar", "lastname": "Quonox", "email": f"giver{number}@example.org"},
        "giftDate": "2026-01-02",
        "giftType": "Cash",
        "amount": "12.50",
        "designations": [{"code": "FOOD", "amountDesignated": "12.50"}],
    }
    return {name: value for name, value in {**item, **changes}.items() if value is not ...}


def send(organization, *items, **envelope):
    body = {"transactionSource": "Acme", "transactions": list(items), "createImport": True, **envelope}
    return organization.crm.post("/api/v2/Gift/Transactions", json=body)


def flaws(answer):
    return [detail["field"] for detail in answer.json()["error"]["details"]]


def destination(organization):
    return organization.admin.export(organization.name)["destination"]


def test_a_gift_is_held_until_an_import_and_found_by_its_pair_after_it(desk):
    organization = desk()

    answer = send(organization, gift(1))
    held = organization.crm.get("/api/Gift/Acme/1").status_code
    waiting = destination(organization)["held_gifts"]
    imported = organization.admin.run_import(organization.name)
    found = organization.crm.get("/api/Gift/Acme/1").json()

    assert (answer.status_code, answer.content, held, imported) == (200, b"", 404, 1)
    assert [(row["source"], row["item"]["transactionId"], row["status"]) for row in waiting] == [("Acme", "1", "held")]
    assert (found["amount"], found["giftType"], found["giftDate"]) == (12.5, "Cash", "2026-01-02T00:00:00")
    assert [row["projectCode"] for row in found["giftDesignations"]] == ["FOOD"]
    assert organization.crm.get(f"/api/Gift/{found['id']}").json() == found
    assert destination(organization)["gifts"] == [found]
    assert destination(organization)["held_gifts"] == []


def test_an_import_may_take_gifts_by_itself(desk, eventually):
    organization = desk(import_mode="at_once")

    send(organization, gift(1))

    eventually(lambda: organization.crm.get("/api/Gift/Acme/1").status_code == 200)


def test_a_single_transaction_goes_the_same_way(desk):
    organization = desk()

    answer = organization.crm.post("/api/v2/Gift/Transaction", json={"transactionSource": "Acme", **gift(9)})
    organization.admin.run_import(organization.name)

    assert (answer.status_code, answer.content) == (200, b"")
    assert organization.crm.get("/api/Gift/Acme/9").status_code == 200


def test_the_same_pair_makes_no_second_gift_however_it_comes(desk):
    organization = desk()
    send(organization, gift(1), gift(1, amount="20.00", designations=[{"id": 11, "amountDesignated": 20}]))
    organization.admin.run_import(organization.name)
    send(organization, gift(1))
    imported = organization.admin.run_import(organization.name)

    assert imported == 1
    assert [row["amount"] for row in destination(organization)["gifts"]] == [12.5]


def test_the_same_id_of_another_source_is_another_gift(desk):
    organization = desk()
    send(organization, gift(1), gift(1, transactionSource="Acme/Donations"))
    organization.admin.run_import(organization.name)

    assert organization.crm.get("/api/Gift/Acme%2FDonations/1").status_code == 200
    assert len(destination(organization)["gifts"]) == 2


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": "-1.00"}, "amount"),
        ({"amount": "12.505"}, "amount"),
        ({"amount": 0}, "amount"),
        ({"amount": True}, "amount"),
        ({"giftType": "Barter"}, "giftType"),
        ({"giftType": ...}, "giftType"),
        ({"giftDate": "soon"}, "giftDate"),
        ({"giftDate": ...}, "giftDate"),
        ({"contact": {"firstname": "Only"}}, "contact"),
        ({"contact": ...}, "contact"),
        ({"contact": {"id": 1}}, "contact.id"),
        ({"contact": {"firstname": "A", "lastname": "B", "email": "nobody"}}, "contact.email"),
        ({"designations": ...}, "designations"),
        ({"designations": [{"code": "OLD", "amountDesignated": "12.50"}]}, "designations[0]"),
        ({"designations": [{"code": "FOOD", "amountDesignated": "many"}]}, "designations[0].amountDesignated"),
    ],
)
def test_one_bad_gift_refuses_the_whole_request_and_is_named(desk, status, changes, field):
    organization = desk(refusal_status=status)

    answer = send(organization, gift(1), gift(2), gift(3), gift(4, **changes))

    assert answer.status_code == status
    assert flaws(answer) == [f"transactions[3].{field}"]
    assert destination(organization)["held_gifts"] == []


@pytest.mark.parametrize(
    ("rows", "field"),
    [
        ([{"code": "FOOD", "amountDesignated": "12.00"}], "designations"),
        ([{"code": "FOOD", "amountDesignated": "6.25"}] * 3, "designations"),
        ([{"code": "NONE", "amountDesignated": "12.50"}], "designations[0]"),
        ([{"id": 999, "amountDesignated": "12.50"}], "designations[0]"),
    ],
)
def test_designations_out_of_balance_and_unknown_projects_are_a_400_everywhere(desk, rows, field):
    answer = send(desk(refusal_status=422), gift(1, designations=rows))

    assert answer.status_code == 400
    assert flaws(answer) == [f"transactions[0].{field}"]


@pytest.mark.parametrize("row", [{"id": 12}, {"code": "FOOD"}, {"name": "Food Relief"}])
def test_a_project_can_be_named_by_id_code_or_name(desk, row):
    organization = desk()
    send(organization, gift(1, amount=12.5, designations=[{**row, "amountDesignated": 12.5}])).raise_for_status()
    organization.admin.run_import(organization.name)

    assert organization.crm.get("/api/Gift/Acme/1").json()["giftDesignations"][0]["projectId"] == 12


def test_a_hundred_gifts_are_taken_and_no_more(desk):
    organization = desk()

    assert send(organization, *[gift(number) for number in range(101)]).status_code == 400
    assert send(organization).status_code == 400
    assert send(organization, *[gift(number) for number in range(100)]).status_code == 200
    assert organization.admin.run_import(organization.name) == 100


def test_the_envelope_fills_in_what_a_gift_leaves_out(desk):
    organization = desk()
    defaults = {"defaultGiftDate": "2026-03-04", "defaultGiftType": "Check", "batch": "B7"}
    send(organization, gift(1, giftDate=..., giftType=...), gift(2), **defaults).raise_for_status()
    organization.admin.run_import(organization.name)

    first, second = (organization.crm.get(f"/api/Gift/Acme/{number}").json() for number in (1, 2))

    assert (first["giftDate"], first["giftType"], first["batch"]) == ("2026-03-04T00:00:00", "Check", "B7")
    assert (second["giftDate"], second["giftType"]) == ("2026-01-02T00:00:00", "Cash")


@pytest.mark.parametrize(
    "giver",
    [
        {"referenceId": "5"},
        {"Email": "KNOWN@example.org"},
        {"FirstName": "Fenmar", "lastname": "Other", "email": "known@example.org"},
    ],
)
def test_a_giver_is_matched_like_an_import(desk, giver):
    organization = desk()
    known = organization.create_contact("known@example.org", referenceSource="Acme", referenceId="5")
    send(organization, gift(1, contact=giver)).raise_for_status()
    organization.admin.run_import(organization.name)

    assert organization.crm.get("/api/Gift/Acme/1").json()["contactId"] == known["id"]
    assert len(organization.contacts()) == 1


def test_a_giver_can_be_a_contact_by_id(desk):
    organization = desk()
    known = organization.create_contact("known@example.org")
    send(organization, gift(1, contact={"id": known["id"]})).raise_for_status()
    organization.admin.run_import(organization.name)

    assert organization.crm.get("/api/Gift/Acme/1").json()["contactId"] == known["id"]


def test_a_giver_nobody_knows_becomes_a_contact_of_the_transactions_source(desk):
    organization = desk()
    giver = {"firstname": "New", "lastname": "Giver", "referenceId": "77", "address": {"address1": "1 Elm Rise"}}
    send(organization, gift(1, contact=giver)).raise_for_status()
    organization.admin.run_import(organization.name)

    contact = organization.crm.get("/api/Contact/Acme/77").json()

    assert contact["contactIndividuals"][0]["lastName"] == "Giver"
    assert contact["address"]["address1"] == "1 Elm Rise"
    assert organization.crm.get("/api/Gift/Acme/1").json()["contactId"] == contact["id"]


def test_a_giver_by_reference_alone_that_nobody_has_keeps_the_gift_waiting(desk):
    organization = desk()
    send(organization, gift(1, contact={"referenceId": "5"})).raise_for_status()

    assert organization.admin.run_import(organization.name) == 0
    assert [row["status"] for row in destination(organization)["held_gifts"]] == ["match_needed"]

    organization.create_contact("late@example.org", referenceSource="Acme", referenceId="5")
    assert organization.admin.run_import(organization.name) == 1
    assert organization.crm.get("/api/Gift/Acme/1").status_code == 200


def test_a_giver_of_the_same_run_is_known(desk, item):
    organization = desk()
    send(organization, gift(1, contact={"referenceId": "5"}))
    organization.submit(item("5"), source="Acme")

    assert organization.admin.run_import(organization.name) == 2
    assert organization.crm.get("/api/Gift/Acme/1").status_code == 200


def test_a_direct_gift_is_never_deduplicated(desk):
    organization = desk()
    known = organization.create_contact("known@example.org")
    body = gift(1, contactId=known["id"], transactionSource="Acme")

    made = [organization.crm.post("/api/Gift", json=body).raise_for_status().json() for _ in range(2)]
    listed = organization.crm.get(f"/api/Gift/ByContact/{known['id']}", params={"take": 1}).json()

    assert made[0]["id"] != made[1]["id"]
    assert (listed["list"], listed["total"]) == (made[:1], 2)
    assert organization.crm.post("/api/Gift", json={**body, "amount": 3}).status_code == 400


def test_projects_are_found_by_id_code_and_query(desk):
    organization = desk()

    by_id = organization.crm.get("/api/Project/14").json()
    by_code = organization.crm.get("/api/Project/Code/OLD").json()
    conditions = [{"parameter": "Active", "operator": "IsTrue"}]
    active = organization.crm.post("/api/Project/Query", json={"groups": [{"conditions": conditions}]}).json()

    assert by_id == by_code
    assert by_id["isActive"] is False
    assert ([row["projectCode"] for row in active["list"]], active["total"]) == (["GEN", "FOOD", "YOUTH"], 3)
    assert organization.crm.get("/api/Project/Code/NONE").status_code == 404
    assert organization.crm.get("/api/Project/1").status_code == 404


def test_staff_can_close_a_project_to_gifts_and_open_another(desk):
    organization = desk()
    organization.admin.change_fund(organization.name, 12, isActive=False)
    made = organization.admin.create_fund(organization.name, name="New Wing", projectCode="WING")

    closed = send(organization, gift(1))
    opened = send(organization, gift(1, designations=[{"id": made["id"], "amountDesignated": 12.5}]))

    assert (closed.status_code, opened.status_code) == (422, 200)


def test_the_journal_notes_a_gift_with_its_pair_and_the_contact_it_made(desk):
    organization = desk()
    send(organization, gift(1))
    organization.admin.run_import(organization.name)

    (submitted,) = organization.journal(route="/api/v2/Gift/Transactions")
    (imported,) = organization.journal(method="IMPORT")
    contact, made = imported["writes"]

    assert submitted["references"] == imported["references"] == [["Acme", "1"]]
    assert (contact["record"], contact["action"], contact["created"]) == ("contact", "create", True)
    assert (made["record"], made["record_id"], made["created"]) == ("gift", made["gift_id"], True)
    assert (made["contact_id"], made["transaction"]) == (contact["contact_id"], ["Acme", "1"])
    assert made["submission"] == submitted["seq"]
    assert made["fields"] == {
        "amount": "12.50",
        "date": "2026-01-02",
        "type": "Cash",
        "designations": [[12, "12.50"]],
    }
