"""Sign-ups and hours through the whole processor, on twins of its stores and a real sandbox that loses answers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.builders import a_person
from support.delivering import ProcessorRig
from support.volunteering import Volunteering, a_date, a_participation, attended

from common.domain.entities import EntityKey
from common.domain.events import Action
from common.domain.resources import PARTICIPATIONS, PROJECT_DATES, USERS
from common.http.client import make_transport

PEOPLE = [str(number) for number in range(1, 9)]
#: No template of a route, so a prefix of all that concern opportunities, sign-ups and hours.
VOLUNTEER = "/api/Volunteer"


@pytest.fixture
def transport():
    with make_transport(2.0) as client:
        yield client


@pytest.fixture
def desk(organization, transport, sandbox):
    class Desk:
        def __init__(self, **behaviour):
            access = organization(users=0, **behaviour)
            self.rig = ProcessorRig(batch_size=lambda _customer: 100, dead_letter_limit=1000)
            self.crm = Volunteering(access, transport, sandbox, clock=self.rig.clock)
            self.rig.destination = self.crm.destination
            self.versions = {}

        def put(self, resource, source_id, record, action=Action.UPSERT):
            entity = EntityKey(customer_id="acme", resource=resource, source_id=source_id)
            self.versions[entity] = version = self.versions.get(entity, 0) + 1
            self.rig.put(entity, version=version, payload=record.to_body(), action=action)

        def everybody(self):
            for number in PEOPLE:
                self.put(USERS, number, a_person(email=f"p{number}@example.org", last_name=f"Quonox{number}"))
            self.put(PROJECT_DATES, "1011", a_date())

        def sign_ups(self):
            return [str(row["contactIndividualId"]) for row in self.crm.shown("volunteers")]

        def reasons(self):
            return sorted(letter.reason for letter in self.rig.tables.dead_letters)

    return Desk


def test_whatever_comes_first_everything_arrives(desk):
    it = desk(volunteer_module=True)
    for number in PEOPLE:
        it.put(PARTICIPATIONS, f"1011:{number}:Team Lead", attended("2.00", user_id=number, role="Team Lead"))
        it.put(PARTICIPATIONS, f"1011:{number}", attended("4.00", user_id=number))
    it.rig.deliver_all()
    waiting = it.rig.open_events()
    it.everybody()
    it.rig.settle()

    assert waiting == 2 * len(PEOPLE)
    assert len(it.sign_ups()) == len(set(it.sign_ups())) == len(PEOPLE)
    assert it.crm.hours() == [2.0] * len(PEOPLE) + [4.0] * len(PEOPLE)


@pytest.mark.parametrize("kind", ["drop_after_apply", "drop_before_apply"])
def test_answers_that_are_lost_double_nothing_and_lose_nothing(desk, kind):
    it = desk(volunteer_module=True)
    it.everybody()
    for number in PEOPLE:
        it.put(PARTICIPATIONS, f"1011:{number}", a_participation(user_id=number))
    for method in ("POST", "PUT"):
        it.crm.fault(kind, method=method, route=VOLUNTEER, rate=0.2)
    it.rig.settle()
    for number in PEOPLE:
        it.put(PARTICIPATIONS, f"1011:{number}:Team Lead", attended("4.00", user_id=number, role="Team Lead"))
        it.put(PARTICIPATIONS, f"1011:{number}", attended("4.00", user_id=number))
    it.rig.settle()
    for number in PEOPLE[:4]:
        it.put(PARTICIPATIONS, f"1011:{number}", attended("3.00", user_id=number))
        it.put(PARTICIPATIONS, f"1011:{number}:Team Lead", attended(user_id=number), action=Action.DELETE)
    it.rig.settle()

    assert len(it.crm.shown("opportunities")) == 1
    assert len(it.sign_ups()) == len(set(it.sign_ups())) == len(PEOPLE)
    assert it.crm.hours() == [0.0] * 4 + [3.0] * 4 + [4.0] * 8
    assert it.reasons() == []


def test_what_goes_while_nobody_knows_of_its_sign_up_counts_no_hours(desk):
    it = desk(volunteer_module=True)
    it.everybody()
    it.rig.settle()
    it.crm.fault("drop_after_apply", method="POST", route="/api/VolunteerOpportunity/{id}/Volunteers/{vid}/Attendance")
    it.put(PARTICIPATIONS, "1011:1", attended("4.00"))
    it.rig.deliver_all()
    it.crm.sandbox.clear_faults()
    it.put(PARTICIPATIONS, "1011:1", attended("4.00"), action=Action.DELETE)
    it.rig.settle()

    assert it.crm.hours() == [0.0]


def test_without_the_module_hours_are_sent_once_and_what_got_no_answer_is_a_dead_letter(desk):
    it = desk(volunteer_module=False, import_mode="by_hand")
    it.everybody()
    it.rig.settle()
    it.put(PARTICIPATIONS, "1011:1", attended("4.00", verified=True))
    it.rig.settle()
    it.crm.fault("drop_after_apply", method="POST", route="/api/Contact/Batch")
    for number in PEOPLE[1:]:
        it.put(PARTICIPATIONS, f"1011:{number}", attended("4.00", user_id=number, verified=True))
    it.rig.deliver_all()
    it.crm.sandbox.clear_faults()
    it.rig.settle()

    sent = [row["item"]["referenceId"] for row in it.crm.shown("held")]
    assert sorted(sent) == PEOPLE
    assert it.reasons() == ["outcome_unknown"] * len(PEOPLE[1:])


def test_without_the_module_what_may_change_yet_is_sent_when_it_is_final(desk):
    it = desk(volunteer_module=False, import_mode="by_hand")
    now = it.rig.clock.now()
    today = {"starts_at": now.isoformat(), "ends_at": (now + timedelta(hours=4)).isoformat()}
    it.everybody()
    it.put(PROJECT_DATES, "1011", a_date(**today))
    it.put(PARTICIPATIONS, "1011:1", a_participation(hours="2.00"))
    it.rig.deliver_all()
    early = it.crm.shown("held")
    it.put(PARTICIPATIONS, "1011:1", a_participation(hours="3.00"))
    it.rig.settle()

    assert early == []
    assert [row["item"]["volunteerAttendances"][0]["hours"] for row in it.crm.shown("held")] == ["3.00"]
    assert it.rig.clock.now() - now >= timedelta(days=7)
