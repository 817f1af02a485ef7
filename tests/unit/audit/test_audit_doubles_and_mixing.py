"""What no key protects from being made twice, what goes back, and customers mixed up, in a journal of a real gate."""

from __future__ import annotations

from contextlib import suppress

import httpx
import pytest
from support.audit_evidence import item_of
from support.sealed import Desk, evidence_of, new_world, synchronise

from deploy.audit.report import Kind
from deploy.audit.run import verdict
from deploy.sandbox.crm.imports import run_due


@pytest.fixture
def made():
    return new_world()


@pytest.fixture
def desk(made):
    found = Desk(made, "acme")
    synchronise(found)
    return found


def found(made, kind, **options):
    report = verdict(evidence_of(made), **{"only_people": True, **options})
    return [(finding.organization, finding.entity_id) for finding in report.findings if finding.kind == kind]


def made_record(desk, table):
    return next(iter(getattr(desk.organization.destination, table).values()))


def note_again(desk):
    row = made_record(desk, "notes")
    return "note", desk.crm("POST", "/api/ContactNote", {name: row[name] for name in ("contactId", "type", "note")})


def tag_again(desk):
    row = made_record(desk, "contact_tags")
    return "tag", desk.crm("POST", "/api/ContactTag", {name: row[name] for name in ("contactId", "tagId")})


def sign_up_again(desk):
    row = made_record(desk, "volunteers")
    path = f"/api/VolunteerOpportunity/{row['volunteerOpportunityId']}/Volunteers"
    return "volunteer", desk.crm("POST", path, {"contactIndividualId": row["contactIndividualId"]})


def opportunity_again(desk):
    row = made_record(desk, "opportunities")
    names = ("name", "startDateTime", "endDateTime", "timeZone", "isActive")
    return "opportunity", desk.crm("POST", "/api/VolunteerOpportunity", {name: row[name] for name in names})


def gift(desk):
    body = {
        "contactId": 1000, "giftType": "Cash", "giftDate": "2026-01-05", "amount": "5.00",
        "designations": [{"code": "FOOD", "amountDesignated": "5.00"}],
    }  # fmt: skip
    return "gift", desk.crm("POST", "/api/Gift", body)


AGAIN = [note_again, tag_again, sign_up_again, opportunity_again, gift]


@pytest.mark.parametrize("again", AGAIN)
def test_what_is_made_twice_is_a_double(made, desk, again):
    if again is gift:
        gift(desk)
    assert found(made, Kind.DUPLICATE) == []
    record, row = again(desk)

    assert found(made, Kind.DUPLICATE) == [("acme", f"{record}/{row['id']}")]


@pytest.mark.parametrize(("again", "path"), [(note_again, "/api/ContactNote"), (tag_again, "/api/ContactTag")])
def test_a_double_that_was_taken_away_again_was_there(made, desk, again, path):
    record, row = again(desk)
    desk.crm("DELETE", f"{path}/{row['id']}")

    assert found(made, Kind.DUPLICATE) == [("acme", f"{record}/{row['id']}")]


@pytest.mark.parametrize(("again", "path"), [(note_again, "/api/ContactNote"), (tag_again, "/api/ContactTag")])
def test_a_double_whose_first_was_taken_away_afterwards_was_there_too(made, desk, again, path):
    first = made_record(desk, {note_again: "notes", tag_again: "contact_tags"}[again])
    record, row = again(desk)
    desk.crm("DELETE", f"{path}/{first['id']}")

    assert found(made, Kind.DUPLICATE) == [("acme", f"{record}/{row['id']}")]


def test_what_was_taken_away_first_is_no_double_when_it_comes_back(made, desk):
    desk.crm("DELETE", f"/api/ContactTag/{made_record(desk, 'contact_tags')['id']}")
    contact, tag = 1000, next(iter(desk.organization.destination.tags))
    desk.crm("POST", "/api/ContactTag", {"contactId": contact, "tagId": tag})

    assert found(made, Kind.DUPLICATE) == []


def test_hours_that_fewer_rows_had_at_the_source_are_doubled(made, desk):
    row = made_record(desk, "volunteers")
    owner = int(desk.organization.destination.contacts[row["contactId"]].references[0][1])
    path = f"/api/VolunteerOpportunity/{row['volunteerOpportunityId']}/Volunteers/{row['id']}/Attendance"
    hours = {"hours": "7.77", "startDateTimeUtc": "2026-02-01T10:00:00Z", "endDateTimeUtc": "2026-02-01T17:46:12Z"}
    records = "/admin/organizations/acme/records/participations"
    for role in ("Driver", "Greeter"):
        desk.send("POST", records, "", {"user_id": owner, "role": role, "hours": "7.77"})
        desk.crm("POST", path, {**hours, "timeZone": "UTC"})
    assert found(made, Kind.DUPLICATE) == []

    desk.crm("POST", path, {**hours, "timeZone": "UTC"})

    entity = f"attendance/{row['volunteerOpportunityId']}/contact/{row['contactId']}"
    assert found(made, Kind.DUPLICATE) == [("acme", entity)]


def test_hours_that_an_import_brought_twice_are_doubled(made, desk):
    owner = next(row for row in desk.organization.source.directory)
    desk.send(
        "POST", "/admin/organizations/acme/records/participations", "",
        {"user_id": owner.id, "role": "Driver", "hours": "7.77"},
    )  # fmt: skip
    row = {"volunteerOpportunityName": "Kitchen", "date": "2026-02-01", "hours": "7.77"}
    for expected in (0, 1):
        batch = {"referenceSource": "Syncfleet", "contacts": [{**item_of(owner), "volunteerAttendances": [row]}]}
        desk.crm("POST", "/api/Contact/Batch", batch)
        made.clock.advance(1)
        run_due(desk.organization, made.journal, made.clock.now())
        assert len(desk.organization.destination.transaction_attendances) == expected + 1

        entities = [entity.rpartition("/")[2] for _, entity in found(made, Kind.DUPLICATE)]
        assert entities == ["1000"] * expected


@pytest.mark.parametrize("system", ["crm", "volunteer"])
def test_an_account_that_is_called_with_another_customers_token_is_a_mix_up(made, desk, system):
    brook = made.organizations["brook"]
    if system == "crm":
        desk.crm("GET", "/api/Tag", token=brook.crm_token)
    else:
        desk.volunteer("/users", token=brook.volunteer_token)

    assert found(made, Kind.MIXED) == [("acme", str(len(made.journal)))]


@pytest.mark.parametrize(("method", "path"), [("POST", "/api/ContactNote"), ("GET", "/api/Contact/Syncfleet/{canary}")])
def test_another_customers_canary_is_a_mix_up_in_a_note_and_in_a_question(made, desk, method, path):
    canary = made.organizations["brook"].canary
    body = {"contactId": 1000, "type": "General", "note": f"for {canary}"} if method == "POST" else None
    with suppress(httpx.HTTPStatusError):  # a question that finds nothing was asked all the same
        desk.crm(method, path.format(canary=canary), body)

    assert found(made, Kind.MIXED)
    assert {name for name, _ in found(made, Kind.MIXED)} == {"acme"}


def test_pages_lead_on_below_the_organizations_own_address(made):
    desk = Desk(made, "acme")
    for _ in range(20):
        desk.send("POST", "/admin/organizations/acme/users", "", {})

    assert "/of/acme/volunteer/v1/users" in desk.volunteer("/users")["links"]["next"]
    assert {entry.account for entry in made.journal.after(0, None)} == {"acme"}


def opportunity_of(desk, date, name, start):
    body = {
        "name": name, "startDateTime": start, "endDateTime": "2036-01-01T00:00:00", "timeZone": "UTC", "isActive": True,
        "description": f"[Syncfleet project_dates/{date}]",
    }  # fmt: skip
    return desk.crm("POST", "/api/VolunteerOpportunity", body)["id"]


def test_an_opportunity_that_takes_an_older_name_again_is_a_break_of_order(made, desk):
    date, project = 1011, desk.organization.source.dates[1011]["project_id"]
    first = desk.organization.source.projects[project]["name"]
    desk.send("PATCH", f"/admin/organizations/acme/records/projects/{project}", "", {"name": "Second"})
    row = opportunity_of(desk, date, first, "2026-01-05T08:00:00")
    for name in ("Second", first):
        assert found(made, Kind.ORDER, only_people=False) == []
        desk.crm("PUT", f"/api/VolunteerOpportunity/{row}", {"name": name})

    assert found(made, Kind.ORDER, only_people=False) == [("acme", "project_dates/1011")]


def test_a_note_that_tells_an_older_answer_again_is_a_break_of_order(made, desk):
    made_ = desk.send("POST", "/admin/organizations/acme/records/form_completions", "", {"user_id": 4101})
    answers = [{"field_id": made_["answers"][0]["field_id"], "value": value} for value in ("Lum", "Dane")]
    path = f"/admin/organizations/acme/records/form_completions/{made_['id']}"
    for answer in answers:
        desk.send("PATCH", path, "", {"answers": [answer]})
    text = f"[Syncfleet form_completions/{made_['id']}]"
    note = desk.crm("POST", "/api/ContactNote", {"contactId": 1000, "type": "General", "note": f"Lum {text}"})["id"]
    for value in ("Dane", "Lum"):
        assert found(made, Kind.ORDER, only_people=False) == []
        desk.crm("PUT", f"/api/ContactNote/{note}", {"type": "General", "note": f"{value} {text}"})

    assert found(made, Kind.ORDER, only_people=False) == [("acme", f"form_completions/{made_['id']}")]


def test_a_write_of_a_note_inside_a_longer_one_overlaps_it_also_behind_a_third(made, desk):
    row = made_record(desk, "notes")
    for _ in range(3):
        desk.crm("PUT", f"/api/ContactNote/{row['id']}", {"type": "General", "note": row["note"]})
    evidence = evidence_of(made)
    long, *short = evidence.journal[-3:]
    long["finished_at"] = long["started_at"] + 60

    report = verdict(evidence)

    breaks = [f for f in report.findings if f.kind == Kind.ORDER and f.entity_id == f"note/{row['id']}"]
    assert len(breaks) == len(short) == 2
