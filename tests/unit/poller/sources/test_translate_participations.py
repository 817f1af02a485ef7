"""Participations: the same id and the same body from both views, in whatever order and spelling their rows come."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import NOW
from support.spelling import MOMENTS, extended, hours, ids, optional_ids, texts, times, truths

from common.domain.participations import Participation, base_id
from poller.sources.volunteer.translate import participations
from poller.sources.volunteer.translate.items import read_identified
from poller.sources.volunteer.translate.participations import Place
from poller.sources.volunteer.translate.times import canonical

DATE, PROJECT = "1011", "701"
STAMPS = st.just("") | MOMENTS.map(canonical)
#: Few, so that they meet.
SIGN_UPS = st.sampled_from(["", "2026-01-01T12:00:00+00:00", "2026-01-02T12:00:00+00:00"])
ROWS = st.builds(
    Participation,
    user_id=st.sampled_from(["7", "8"]), project_id=st.just(PROJECT), project_date_id=st.just(DATE),
    role=st.sampled_from(["", "Volunteer", "Team lead"]), guests=st.integers(0, 3),
    status=st.sampled_from(["", "APPROVED"]), signed_up_at=SIGN_UPS, checked_in_at=STAMPS, checked_out_at=STAMPS,
    hours=st.decimals(0, 100, places=2).map(str), verified=st.booleans(),
)  # fmt: skip


def spelled(draw, row, *, view):
    """As one of the two views shows a row: what the view says itself may be left out of it."""
    item = {
        "user_id": draw(ids(int(row.user_id))), "project_id": draw(ids(int(row.project_id))),
        "project_date_id": draw(optional_ids(row.project_date_id)), "role": draw(texts(row.role)),
        "guests": draw(st.sampled_from([row.guests, str(row.guests), float(row.guests)])),
        "status": draw(texts(row.status)), "hours": draw(hours(row.hours)),
        "verified": draw(truths(row.verified, missing=False)),
    }  # fmt: skip
    item |= {name: draw(times(getattr(row, name))) for name in ("signed_up_at", "checked_in_at", "checked_out_at")}
    own = {"date": ("project_id", "project_date_id"), "user": ("user_id",)}[view]
    for name in own if draw(st.booleans()) else ():
        del item[name]
    more = {"first_name": "Ana", "email": "ana@example.org"} if view == "date" else {}
    return extended(draw, {**item, **more})


def read(rows, place):
    return read_identified(
        participations.identified(rows, place), "participations",
        lambda source_id, row: participations.participation(
            row, "acme", source_id=source_id, place=place, answered_at=NOW
        ),
    )  # fmt: skip


def bodies(rows, place):
    found = read(rows, place)
    assert found.broken == []
    return {record.source_id: record.body for record in found.records}


OF_DATE = Place(project_date_id=DATE, project_id=PROJECT)


@given(st.lists(ROWS, max_size=6), st.data())
def test_both_views_give_the_same_records_whatever_their_order_and_spelling(rows, data):
    shuffled = data.draw(st.permutations(rows))
    from_date = bodies([spelled(data.draw, row, view="date") for row in rows], OF_DATE)
    from_users = {}
    for user_id in ("7", "8"):
        own = [spelled(data.draw, row, view="user") for row in shuffled if row.user_id == user_id]
        from_users |= bodies(own, Place(user_id=user_id))

    assert from_date == from_users
    assert len(from_date) == len(rows)
    assert sorted(map(repr, from_date.values())) == sorted(repr(row.to_body()) for row in rows)


@given(st.lists(ROWS, min_size=1, max_size=6), st.data())
def test_a_row_has_the_id_of_its_person_and_place_first_of_all(rows, data):
    found = bodies([spelled(data.draw, row, view="date") for row in rows], OF_DATE)

    for source_id, body in found.items():
        assert base_id(source_id) == f"{DATE}:{body['user_id']}"
        assert base_id(source_id) in found
        assert all(
            found[base_id(source_id)]["signed_up_at"] <= other["signed_up_at"]
            for other in found.values()
            if other["user_id"] == body["user_id"]
        )


A_ROW = Participation(
    user_id="7", project_id=PROJECT, project_date_id=DATE, role="Volunteer", signed_up_at="2026-01-01T12:00:00+00:00"
)


def raw(**changes):
    return replace(A_ROW, **changes).to_body()


def test_ids_are_as_the_domain_says():
    later = "2026-01-02T12:00:00+00:00"
    rows = [
        raw(signed_up_at=later, role="Cook"), raw(), raw(signed_up_at=later, role="Cook", hours="1.00"),
        raw(signed_up_at=later, role="Aide"), raw(user_id="8"), raw(project_date_id=""),
    ]  # fmt: skip

    found = bodies(rows, Place())

    assert {source_id: (body["role"], body["hours"]) for source_id, body in found.items()} == {
        f"project-{PROJECT}:7": ("Volunteer", "0.00"),
        "1011:7": ("Volunteer", "0.00"),
        "1011:8": ("Volunteer", "0.00"),
        "1011:7:Aide": ("Aide", "0.00"),
        "1011:7:Cook": ("Cook", "0.00"),
        "1011:7:Cook:2": ("Cook", "1.00"),
    }


def test_hours_that_come_late_leave_every_id_as_it_is():
    later = "2026-01-02T12:00:00+00:00"
    before = bodies([raw(), raw(role="Cook"), raw(role="Cook", signed_up_at=later)], OF_DATE)
    after = bodies([raw(hours="4.00"), raw(role="Cook", hours="9"), raw(role="Cook", signed_up_at=later)], OF_DATE)

    names = {source_id: (body["role"], body["signed_up_at"]) for source_id, body in before.items()}
    assert names == {source_id: (body["role"], body["signed_up_at"]) for source_id, body in after.items()}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hours", "four"), ("hours", "-1"), ("hours", "nan"), ("hours", "1e3"), ("hours", "4,5"), ("hours", True),
        ("verified", "perhaps"), ("verified", 2), ("guests", -1), ("guests", 1.5), ("signed_up_at", "soon"),
        ("checked_in_at", "0000-00-00 00:00:00"), ("checked_out_at", []), ("role", {}), ("user_id", None),
    ],
)  # fmt: skip
def test_one_row_that_cannot_be_read_spoils_no_other_and_keeps_its_id(field, value):
    others = [raw(user_id="8"), raw(user_id="9")]
    found = read([raw(user_id="8"), {**raw(), field: value}, raw(user_id="9")], OF_DATE)

    (broken,) = found.broken
    assert (broken.field, broken.resource, broken.reason) == (field, "participations", "record_invalid")
    assert "customer acme" in broken.message
    assert "at the source" in broken.message
    assert broken.source_id == "1011:7" or (field == "user_id" and broken.source_id.startswith("unreadable-"))
    assert [record.body for record in found.records] == [read([row], OF_DATE).records[0].body for row in others]
    assert found.distinct == 3


@pytest.mark.parametrize("row", [None, 7, "text", [], True])
def test_a_row_that_is_no_object_spoils_no_other(row):
    found = read([raw(), row], OF_DATE)

    assert (len(found.records), len(found.broken), found.distinct) == (1, 1, 2)


def test_what_lets_its_bearer_check_somebody_in_is_not_kept():
    row = participations.without_secrets({**raw(), "token": "s3cret", "group_token": "s3cret", "kiosk_id": 4})

    assert "s3cret" not in repr(read([row], OF_DATE))
    assert row["kiosk_id"] == 4
