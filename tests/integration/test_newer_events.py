"""A newer event need not wait for an older one's distant time, if nothing but a decision or finality is waited for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from common.domain.resources import PARTICIPATIONS, PROJECT_DATES, PROJECTS, USERS
from common.storage.reviews import PostgresReviews
from deploy.demo.plan import SCAN_SETTINGS

#: Everything is read again whenever it is asked for.
ALWAYS = dict.fromkeys(SCAN_SETTINGS, 0)


@pytest.fixture
def desk(hub, sandbox, organization):
    class Desk:
        def __init__(self, **behaviour):
            self.access = organization(users=0, **behaviour)
            hub.onboard(self.access, create="direct", source_settings=ALWAYS)
            self.reviews = PostgresReviews(hub.engine)

        def users(self):
            hub.poll(self.access.name)
            hub.deliver_all(self.access.name)

        def hours(self):
            """And what they hang on."""
            for resource in (USERS, PROJECTS, PROJECT_DATES, PARTICIPATIONS):
                hub.poll(self.access.name, resource)
            hub.deliver_all(self.access.name)

        def held(self):
            return [row.source_id for row in self.reviews.open(self.access.name, limit=9)]

        def destination(self):
            return sandbox.export(self.access.name)["destination"]

    return Desk


def test_an_address_that_was_mended_at_the_source_goes_before_its_review_is_looked_at_again(desk, sandbox):
    it = desk()
    sandbox.create_user(it.access.name, email="shared@example.org")
    it.users()
    second = sandbox.create_user(it.access.name, email="shared@example.org")
    it.users()
    held = it.held()
    sandbox.change_user(it.access.name, second["id"], email="own@example.org")
    it.users()

    assert held == [str(second["id"])]
    assert len(it.destination()["contacts"]) == 2
    assert it.held() == []


def test_hours_that_were_verified_go_at_once_and_not_when_they_would_have_settled(desk, hub, sandbox):
    it = desk(volunteer_module=False, import_mode="by_hand")
    user = sandbox.create_user(it.access.name)
    began = hub.clock.now() - timedelta(hours=9)
    date = sandbox.create_record(it.access.name, "project_dates", starts_at=began.isoformat())
    place = {"user_id": user["id"], "project_date_id": date["id"], "checked_in_at": began.isoformat()}
    row = sandbox.create_record(it.access.name, "participations", **place, hours="3.50")
    it.hours()
    early = it.destination()["held"]
    sandbox.change_record(it.access.name, "participations", row["id"], verified=1)
    it.hours()

    assert early == []
    assert [each["item"]["volunteerAttendances"][0]["hours"] for each in it.destination()["held"]] == ["3.50"]
