"""What a participation leads to, and what it waits for."""

from __future__ import annotations

import pytest
from support.builders import an_entity, an_event

from common.domain.errors import EventUnreadable
from common.domain.events import Action
from common.domain.participations import Participation
from common.domain.resources import PARTICIPATIONS
from processor.handlers.decisions import Remove, Upsert
from processor.handlers.registry import HANDLERS

ON_A_DATE = Participation(user_id="4101", project_id="701", project_date_id="1011")
ANYTIME = Participation(user_id="4101", project_id="707")


def decided(source_id, record, action=Action.UPSERT):
    event = an_event(entity=an_entity(source_id, resource=PARTICIPATIONS), payload=record.to_body(), action=action)
    return HANDLERS[PARTICIPATIONS](event)


@pytest.mark.parametrize(
    ("source_id", "record", "needs"),
    [
        ("1011:4101", ON_A_DATE, ["users/4101", "project_dates/1011"]),
        ("project-707:4101", ANYTIME, ["users/4101", "projects/707"]),
        ("1011:4101:Team Lead", ON_A_DATE, ["users/4101", "project_dates/1011", "participations/1011:4101"]),
        ("1011:4101:Team Lead:2", ON_A_DATE, ["users/4101", "project_dates/1011", "participations/1011:4101"]),
        ("project-707:4101:Cook", ANYTIME, ["users/4101", "projects/707", "participations/project-707:4101"]),
    ],
)
def test_it_needs_its_person_its_place_and_the_row_whose_sign_up_it_shares(source_id, record, needs):
    decision = decided(source_id, record)

    assert isinstance(decision, Upsert)
    assert decision.desired == record
    assert [f"{entity.resource}/{entity.source_id}" for entity in decision.needs] == needs
    assert {entity.customer_id for entity in decision.needs} == {"acme"}


def test_what_is_gone_at_the_source_is_taken_back():
    assert decided("1011:4101", ON_A_DATE, Action.DELETE) == Remove(desired=ON_A_DATE)


def test_a_payload_that_is_no_participation_is_unreadable():
    event = an_event(entity=an_entity("1011:4101", resource=PARTICIPATIONS), payload={"project_id": "701"})

    with pytest.raises(EventUnreadable, match="user_id"):
        HANDLERS[PARTICIPATIONS](event)
