"""The volunteer module of the stand-in CRM+: opportunities, sign-ups and hours, checked, paged and found late."""

import pytest

BASE = "/api/VolunteerOpportunity"


class Module:
    """An organization with one contact, and calls of the module."""

    def __init__(self, organization):
        self.organization = organization
        self.crm = organization.crm
        self.contact = organization.create_contact("a@example.org")
        self.person = self.contact["contactIndividuals"][0]["id"]

    def open(self, **values):
        return self.crm.post(BASE, json={"name": "Pantry", **values})

    def opened(self, **values):
        return self.open(**values).raise_for_status().json()["id"]

    def sign_up(self, opportunity_id):
        return self.crm.post(f"{BASE}/{opportunity_id}/Volunteers", json={"contactIndividualId": self.person})

    def attend(self, opportunity_id, volunteer_id, **values):
        return self.crm.post(f"{BASE}/{opportunity_id}/Volunteers/{volunteer_id}/Attendance", json=values)

    def ask(self, *conditions, **query):
        rows = [dict(zip(("parameter", "operator", "value"), each, strict=False)) for each in conditions]
        return self.crm.post(f"{BASE}/Query", params=query, json={"groups": [{"conditions": rows}]})


@pytest.fixture
def module(desk):
    return lambda **settings: Module(desk(**settings))


def fields(answer):
    return [detail["field"] for detail in answer.json()["error"]["details"]]


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize(
    ("values", "flaw"),
    [
        ({"name": ""}, "name"),
        ({"startDateTime": "soon"}, "startDateTime"),
        ({"endDateTime": "later"}, "endDateTime"),
        ({"startDateTime": "2026-01-02T10:00:00", "endDateTime": "2026-01-02T09:00:00"}, "endDateTime"),
        ({"startDateTime": "2026-01-02T10:00:00", "endDateTime": "2026-01-02T11:00:00Z"}, "endDateTime"),
    ],
)
def test_an_opportunity_that_makes_no_sense_is_refused(module, status, values, flaw):
    shop = module(refusal_status=status)
    made = shop.opened(startDateTime="2026-01-01T08:00:00")

    created = shop.open(**values)
    changed = shop.crm.put(f"{BASE}/{made}", json={"startDateTime": None, **values})

    assert (created.status_code, changed.status_code) == (status, status)
    assert fields(created) == fields(changed) == [flaw]


def test_a_put_keeps_what_it_leaves_out(module):
    shop = module()
    made = shop.opened(description="[VOMO project_dates/1011]", timeZone="America/Chicago")

    changed = shop.crm.put(f"{BASE}/{made}", json={"name": "Garden", "isActive": False}).json()

    assert (changed["name"], changed["isActive"]) == ("Garden", False)
    assert changed["description"] == "[VOMO project_dates/1011]"


def test_opportunities_are_asked_for_by_name_description_start_and_state(module):
    shop = module()
    first = shop.opened(startDateTime="2026-01-02T10:00:00", description="Bring gloves. [VOMO project_dates/1011]")
    second = shop.opened(name="Garden", startDateTime="2026-03-02T10:00:00", isActive=False)

    def ids(*conditions):
        return [row["id"] for row in shop.ask(*conditions).raise_for_status().json()["list"]]

    assert ids(("Name", "Is", "pantry")) == [first]
    assert ids(("Description", "EndsWith", "[VOMO project_dates/1011]")) == [first]
    assert ids(("Start Date", "After", "2026-02-01")) == [second]
    assert ids(("Is Active", "IsFalse")) == [second]
    assert ids(("Id", "GreaterThan", first)) == [second]
    assert shop.ask(("Shoe Size", "Is", "42")).status_code == 400
    assert shop.crm.get(f"{BASE}/QueryOptions").json()["options"]


@pytest.mark.parametrize("path", ["", "/Query"])
def test_opportunities_come_in_pages_of_ten(module, path):
    shop = module()
    for _ in range(11):
        shop.opened()

    def page(**query):
        return shop.crm.post(BASE + path, params=query, json={}) if path else shop.crm.get(BASE, params=query)

    assert (len(page().json()["list"]), page().json()["total"]) == (10, 11)
    assert len(page(take=1000).json()["list"]) == 11
    assert page(take=1001).status_code == 400


def test_volunteers_and_attendances_come_in_pages_of_ten(module):
    shop = module()
    opportunity = shop.opened()
    volunteers = [shop.sign_up(opportunity).json()["id"] for _ in range(11)]
    for _ in range(11):
        shop.attend(opportunity, volunteers[0], hours="1.00").raise_for_status()

    for path in (f"{BASE}/{opportunity}/Volunteers", f"{BASE}/{opportunity}/Volunteers/{volunteers[0]}/Attendance"):
        page = shop.crm.get(path).json()
        assert (len(page["list"]), page["total"]) == (10, 11)
        assert len(shop.crm.get(path, params={"take": 1000}).json()["list"]) == 11


@pytest.mark.parametrize("status", [400, 422])
def test_an_inactive_opportunity_takes_no_new_sign_up(module, status):
    shop = module(refusal_status=status)
    opportunity = shop.opened()
    assert shop.sign_up(opportunity).status_code == 200

    shop.crm.put(f"{BASE}/{opportunity}", json={"isActive": False}).raise_for_status()

    assert shop.sign_up(opportunity).status_code == status


def test_an_opportunity_can_be_deleted_until_somebody_has_signed_up(module):
    shop = module()
    empty, taken = shop.opened(), shop.opened()
    volunteer = shop.sign_up(taken).json()["id"]

    assert shop.crm.delete(f"{BASE}/{empty}").status_code == 200
    assert shop.crm.get(f"{BASE}/{empty}").status_code == 404
    assert shop.crm.delete(f"{BASE}/{taken}").status_code == 409
    shop.crm.delete(f"{BASE}/{taken}/Volunteers/{volunteer}").raise_for_status()
    assert shop.crm.delete(f"{BASE}/{taken}").status_code == 200


def test_a_sign_up_can_be_deleted_until_it_has_hours(module):
    shop = module()
    opportunity = shop.opened()
    free, worked = (shop.sign_up(opportunity).json()["id"] for _ in range(2))
    shop.attend(opportunity, worked, hours="2").raise_for_status()

    assert shop.crm.delete(f"{BASE}/{opportunity}/Volunteers/{free}").status_code == 200
    assert shop.crm.get(f"{BASE}/{opportunity}/Volunteers/{free}").status_code == 404
    assert shop.crm.delete(f"{BASE}/{opportunity}/Volunteers/{worked}").status_code == 409
    assert shop.crm.get(f"{BASE}/{opportunity}/Volunteers/{worked}").json()["id"] == worked


@pytest.mark.parametrize(
    ("values", "flaw"),
    [
        ({}, "hours"),
        ({"hours": "-1"}, "hours"),
        ({"hours": "many"}, "hours"),
        ({"hours": True}, "hours"),
        ({"hours": 1, "startDateTimeUtc": "soon"}, "startDateTimeUtc"),
        (
            {"hours": 1, "startDateTimeUtc": "2026-01-02T10:00:00Z", "endDateTimeUtc": "2026-01-02T09:59:59Z"},
            "endDateTimeUtc",
        ),
    ],
)
def test_hours_that_make_no_sense_are_refused_when_made_and_when_changed(module, values, flaw):
    shop = module()
    opportunity = shop.opened()
    volunteer = shop.sign_up(opportunity).json()["id"]
    made = shop.attend(opportunity, volunteer, hours=2).json()["id"]

    created = shop.attend(opportunity, volunteer, **values)
    changed = shop.crm.put(f"{BASE}/{opportunity}/Attendance/{made}", json={"hours": None, **values})

    assert (created.status_code, changed.status_code) == (422, 422)
    assert fields(created) == fields(changed) == [flaw]


@pytest.mark.parametrize("hours", [0, "0.00", 4.25, "4.25"])
def test_no_hours_are_hours_too(module, hours):
    shop = module()
    opportunity = shop.opened()
    volunteer = shop.sign_up(opportunity).json()["id"]

    assert shop.attend(opportunity, volunteer, hours=hours).json()["hours"] == hours


def test_a_search_finds_sign_ups_by_ids_and_by_email(module):
    shop = module()
    opportunity, other = shop.opened(), shop.opened()
    volunteer = shop.sign_up(opportunity).json()
    shop.sign_up(other)

    def found(**query):
        return shop.crm.get("/api/Volunteer/Search", params=query).json()["list"]

    assert found(volunteerOpportunityId=opportunity, contactIndividualId=shop.person) == [volunteer]
    assert len(found(emailAddress="A@example.org")) == 2
    assert found(emailAddress="b@example.org") == []
    assert found(contactId=shop.contact["id"], volunteerId=volunteer["id"]) == [volunteer]


def test_searches_and_queries_may_lag_behind(module, eventually):
    shop = module(index_lag_seconds=1)
    opportunity = shop.opened()
    volunteer = shop.sign_up(opportunity).json()["id"]

    def seen():
        queried, searched = shop.ask(("Id", "Is", opportunity)), shop.crm.get("/api/Volunteer/Search")
        return queried.json()["total"], searched.json()["total"]

    assert seen() == (0, 0)
    assert shop.crm.get(f"{BASE}/{opportunity}").status_code == 200
    assert shop.crm.get(f"{BASE}/{opportunity}/Volunteers/{volunteer}").status_code == 200
    eventually(lambda: seen() == (1, 1))


@pytest.mark.parametrize("path", ["Query", "QueryOptions", "1", "1/Volunteers"])
def test_nothing_of_the_module_is_there_without_it(desk, path):
    crm = desk(volunteer_module=False).crm
    answer = crm.post(f"{BASE}/{path}", json={}) if path == "Query" else crm.get(f"{BASE}/{path}")

    assert answer.status_code == 404


def test_the_journal_tells_each_record_of_the_module_with_what_was_set(module):
    shop = module()
    opportunity = shop.opened(startDateTime="2026-01-02T10:00:00", timeZone="America/Chicago")
    volunteer = shop.sign_up(opportunity).json()["id"]
    span = {"startDateTimeUtc": "2026-01-02T16:00:00Z", "endDateTimeUtc": "2026-01-02T18:00:00Z"}
    attendance = shop.attend(opportunity, volunteer, hours="2.00", **span).json()["id"]
    shop.crm.put(f"{BASE}/{opportunity}/Attendance/{attendance}", json={"hours": "3.00"}).raise_for_status()

    journal = shop.organization.journal()
    made, signed, attended, changed = [write for row in journal for write in row["writes"]][1:]
    (opening,) = [row for row in journal if row["route"] == BASE]

    assert (made["record"], made["record_id"], made["created"], made["contact_id"]) == (
        "opportunity",
        opportunity,
        True,
        None,
    )
    assert made["fields"] == {"name": "Pantry", "start": "2026-01-02T10:00:00", "time_zone": "America/Chicago"}
    assert opening["contact_ids"] == []
    assert (signed["record"], signed["record_id"], signed["individual_id"]) == ("volunteer", volunteer, shop.person)
    assert (attended["record"], attended["record_id"], attended["created"]) == ("attendance", attendance, True)
    assert attended["fields"] == {"hours": "2.00", "start": "2026-01-02T16:00:00Z", "end": "2026-01-02T18:00:00Z"}
    assert (changed["record_id"], changed["created"], changed["fields"]) == (attendance, False, {"hours": "3.00"})
    assert {write["contact_id"] for write in (signed, attended, changed)} == {shop.contact["id"]}
    assert {write["opportunity_id"] for write in (made, signed, attended, changed)} == {opportunity}
