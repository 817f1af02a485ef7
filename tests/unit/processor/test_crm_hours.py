"""Which attendance is whose, and what it should say."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import NOW, a_link, an_entity
from support.clients import an_api, pretended

from common.domain.clock import SystemClock
from common.domain.participations import Participation
from common.domain.resources import PARTICIPATIONS, PROJECT_DATES
from common.domain.writes import Write
from common.storage.memory.references import MemoryReferenceCache
from processor.destinations.crm_plus import hours
from processor.destinations.crm_plus.account import Account
from processor.destinations.crm_plus.settings import CrmPlusSettings
from processor.destinations.crm_plus.signups import SignUps

DATE = {
    "name": "Pantry", "time_zone": "America/Chicago", "starts_at": "2025-11-03T15:00:00+00:00",
    "ends_at": "2025-11-03T19:00:00+00:00",
}  # fmt: skip
TYPED_IN = {"startDateTimeUtc": "2025-11-03T15:00:00", "endDateTimeUtc": "2025-11-03T17:00:00", "hours": 2}
DAY = "2025-11-03"
BASE, SECOND = "1011:1", "1011:1:Team Lead"


def a_write(source_id=BASE, *, link=None, date=DATE, **changes):
    desired = Participation(user_id="1", project_id="701", project_date_id="1011", **changes)
    parent = an_entity("1011", resource=PROJECT_DATES)
    return Write(
        write_id="w", entity=an_entity(source_id, resource=PARTICIPATIONS), event_id=1, version=1, desired=desired,
        mapped_hash="h", link=link, parents={parent: a_link(parent, details=date)},
    )  # fmt: skip


def shown(write, attendance_id):
    """As the API gives it back: stamps without a zone, hours as text."""
    body = hours.body(write)
    return {
        "id": attendance_id, "hours": str(body["hours"]),
        "startDateTimeUtc": body["startDateTimeUtc"].rstrip("Z") + ".0000000",
        "endDateTimeUtc": body["endDateTimeUtc"].rstrip("Z"),
    }  # fmt: skip


moments = st.datetimes(min_value=NOW.replace(tzinfo=None), max_value=(NOW + timedelta(days=400)).replace(tzinfo=None))
stamps = st.one_of(st.just(""), moments.map(lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%S+00:00")))
worked = st.decimals(min_value=0, max_value=99, places=2).map(str)


@given(source_id=st.text(min_size=1), came=stamps, left=stamps, hours_worked=worked)
def test_an_attendance_is_known_by_its_mark_whatever_it_says_and_ends_after_it_began(
    source_id, came, left, hours_worked
):
    left = max(came, left) if came and left else left
    before = a_write(source_id, checked_in_at=came, checked_out_at=left, hours=hours_worked)
    row = shown(before, 7)

    assert hours.own([row], a_write(source_id, hours="1.00")) == row
    assert hours.same(row, hours.body(before))
    assert row["startDateTimeUtc"] < row["endDateTimeUtc"]
    assert hours.mark_of(source_id) != (0, 0)


@given(st.integers(min_value=0, max_value=59), st.integers(min_value=0, max_value=59))
def test_the_minute_is_that_of_the_source(second, minute):
    body = hours.body(a_write(checked_in_at=f"2025-11-03T15:{minute:02}:{second:02}+00:00", hours="1.00"))

    assert body["startDateTimeUtc"].startswith(f"2025-11-03T15:{minute:02}:")


def test_a_row_never_takes_the_attendance_of_another_row_of_the_person():
    base, second = shown(a_write(BASE), 1), shown(a_write(SECOND), 2)

    assert hours.own([base, second], a_write(SECOND)) == second
    assert hours.own([base, second], a_write(BASE)) == base
    assert hours.own([base], a_write(SECOND)) is None
    assert hours.own([second], a_write(BASE)) is None


def test_what_is_linked_to_another_row_is_not_taken_even_with_the_same_mark():
    row = shown(a_write(SECOND), 1)

    assert hours.own([row], a_write(SECOND), others=["1"]) is None


def test_the_linked_one_goes_before_a_marked_one_and_that_before_one_that_staff_typed_in():
    typed_in, marked, linked = {"id": 1, **TYPED_IN}, shown(a_write(), 2), {"id": 3, **TYPED_IN}
    link = a_link(details={"attendance_id": "3"})

    assert hours.own([typed_in, marked, linked], a_write(link=link)) == linked
    assert hours.own([typed_in, marked, linked], a_write()) == marked
    assert hours.own([linked, typed_in], a_write(hours="2.00")) == typed_in
    assert hours.own([linked, typed_in], a_write(SECOND, hours="2.00")) is None


def test_what_staff_typed_in_is_nobodys_while_the_source_has_no_hours_and_when_it_is_removed():
    typed_in = {"id": 1, **TYPED_IN}

    assert hours.own([typed_in], a_write()) is None
    assert hours.own([typed_in], replace(a_write(hours="2.00"), is_removal=True)) is None


@pytest.mark.parametrize(
    ("changes", "start", "end"),
    [
        ({"checked_in_at": f"{DAY}T15:10:00Z", "checked_out_at": f"{DAY}T18:00:00Z"}, "15:10", "18:00"),
        ({"checked_in_at": "2025-11-03T15:10:00+00:00", "hours": "2.00"}, "15:10", "17:10"),
        ({"hours": "2.00"}, "15:00", "19:00"),
        ({"checked_in_at": "2025-11-03T09:10:00-06:00", "hours": "1.00"}, "15:10", "16:10"),
    ],
)  # fmt: skip
def test_the_times_are_those_of_the_person_else_those_of_the_date(changes, start, end):
    body = hours.body(a_write(**changes))

    assert (body["startDateTimeUtc"][11:16], body["endDateTimeUtc"][11:16]) == (start, end)
    assert body["timeZone"] == "America/Chicago"


def test_no_attendance_is_due_while_nobody_came():
    assert not hours.is_due(a_write(), None)
    assert hours.is_due(a_write(checked_in_at="2025-11-03T15:10:00+00:00"), None)
    assert hours.is_due(a_write(hours="0.25"), None)
    assert hours.is_due(a_write(), {"id": 1, **TYPED_IN})


def test_a_change_of_hours_sends_the_whole_attendance():
    """The specification says that an omitted property is cleared."""
    bodies = []

    def answer(request):
        bodies.append(json.loads(request.content))
        return httpx.Response(200, json={"id": 7})

    api = an_api("http://crm.test", transport=pretended(answer))
    account = Account(
        customer_id="acme", api=api, settings=CrmPlusSettings(), clock=SystemClock(), references=MemoryReferenceCache()
    )
    SignUps(account).change("20", {"id": 7, "note": "kept", **TYPED_IN}, {"hours": 3.0})

    assert bodies == [{"id": 7, "note": "kept", **TYPED_IN, "hours": 3.0}]
