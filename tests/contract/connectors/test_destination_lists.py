"""The list of what a destination holds: whole, since a moment, by ids, and counted; each as the sandbox has it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from support.builders import a_person
from support.volunteering import Volunteering, a_date
from support.waiting import wait_until

from common.domain.clock import SystemClock
from common.domain.errors import PageUnreadable
from common.domain.listings import ListQuery, Lists
from common.domain.resources import PARTICIPATIONS, PROJECT_DATES, USERS
from common.domain.writes import Link
from common.http.client import make_transport
from processor.destinations.crm_plus import listing

FULL = "/crm/api/Contact/Query/FullContact"


@pytest.fixture(scope="module")
def transport():
    with make_transport(5.0) as client:
        yield client


@pytest.fixture
def desk(organization, transport, sandbox):
    def make(people=0, **behaviour):
        it = Volunteering(organization(users=0, **{"volunteer_module": True, **behaviour}), transport, sandbox)
        for number in range(people):
            person = a_person(email=f"p{number}@example.org")
            (answer,) = it.apply(it.write(USERS, str(number), person))
            it.links[it.key(USERS, str(number))] = Link(
                entity=it.key(USERS, str(number)), destination_id=answer.destination_id, details=answer.details
            )
        return it

    return make


def every(it, resource=USERS, **query):
    found, after, pages = [], "", 0
    while after is not None:
        page = it.destination.list_page(ListQuery(resource=resource, after=after, **query))
        found, after, pages = [*found, *page.found], page.after, pages + 1
    return found, pages


def test_a_connector_that_lists_says_of_what_and_how(desk):
    it = desk()
    assert isinstance(it.destination, Lists)
    people, dates = it.destination.listing(USERS), it.destination.listing(PROJECT_DATES)
    assert (people.page_rows, people.takes_since) == (1000, True)
    assert (dates.page_rows, dates.takes_since) == (1000, False)
    assert it.destination.listing(PARTICIPATIONS) is None
    assert it.destination.is_kept(PARTICIPATIONS)


def test_without_the_module_there_is_no_list_of_dates_and_nothing_is_kept(desk):
    it = desk(volunteer_module=False)
    assert it.destination.listing(PROJECT_DATES) is None
    assert not it.destination.is_kept(PARTICIPATIONS)
    assert it.destination.is_kept(USERS)


def test_every_contact_is_on_exactly_one_page_in_order_also_archived_ones(desk, sandbox, monkeypatch):
    it = desk(people=5)
    ids = [link.destination_id for link in it.links.values()]
    sandbox.archive_contact(it.access.name, int(ids[1]))
    monkeypatch.setattr(listing, "PAGE_ROWS", 2)
    monkeypatch.setattr("processor.destinations.crm_plus.reading.PAGE_ROWS", 2)

    found, pages = every(it)
    assert [each.destination_id for each in found] == sorted(ids, key=int)
    assert pages == 3


def test_only_what_was_modified_since_is_listed(desk, sandbox):
    it = desk(people=3)
    ids = [link.destination_id for link in it.links.values()]
    later = SystemClock().now() + timedelta(seconds=2)
    wait_until(lambda: SystemClock().now() > later, seconds=5, what="a later second")
    sandbox.change_contact(it.access.name, int(ids[1]), firstName="Tampered")

    found, _ = every(it, modified_since=later - timedelta(seconds=1))
    assert [each.destination_id for each in found] == [ids[1]]


def test_how_many_there_are_is_counted_up_to_an_id(desk):
    it = desk(people=4)
    ids = sorted((link.destination_id for link in it.links.values()), key=int)
    assert [it.destination.list_count(USERS, each) for each in ids] == [1, 2, 3, 4]


def test_records_are_read_back_by_their_ids_and_what_is_not_there_is_missing(desk):
    it = desk(people=6)
    ids = [link.destination_id for link in it.links.values()]
    assert set(it.destination.read_back(USERS, [*ids, "99999999"])) == set(ids)


def test_a_disagreement_is_what_would_be_written(desk, sandbox):
    it = desk(people=1)
    (link,) = it.links.values()
    write = it.write(USERS, "0", a_person(email="p0@example.org"))
    (there,), _ = every(it)
    assert it.destination.disagreements(write, there) == {}

    sandbox.change_contact(it.access.name, int(link.destination_id), lastName="Tampered")
    (there,), _ = every(it)
    assert it.destination.disagreements(write, there) == {"lastName": "Tampered"}
    assert it.destination.differs(write, there)


def test_a_page_that_lacks_rows_is_refused(desk, sandbox):
    it = desk(people=3)
    whole = it.destination._listings._of[USERS]._api
    answer = whole.read("/api/Contact/Query/FullContact", method="POST", query={"skip": "0", "take": "1000"}, body={})
    short = {**answer.json(), "list": answer.json()["list"][:2]}
    it.destination._listings._of[USERS]._api = Saying(short)

    with pytest.raises(PageUnreadable):
        it.destination.list_page(ListQuery(resource=USERS))
    it.destination._listings._of[USERS]._api = Saying({**short, "list": short["list"][::-1], "total": 2})
    with pytest.raises(PageUnreadable, match="order"):
        it.destination.list_page(ListQuery(resource=USERS))


class Saying:
    """An API that gives one answer, whatever it is asked."""

    def __init__(self, body):
        self._body = body

    def read(self, *_, **__):
        return self

    def json(self):
        return self._body


def test_opportunities_are_listed_and_compared(desk):
    it = desk()
    it.date()
    write = it.write(PROJECT_DATES, "1011", a_date())
    (there,), pages = every(it, PROJECT_DATES)
    assert pages == 1
    assert it.destination.disagreements(write, there) == {}
    other = replace(write, desired=a_date(project_name="Another"))
    assert it.destination.disagreements(other, there) == {"name": "Quonox Pantry"}
    assert set(it.destination.read_back(PROJECT_DATES, [there.destination_id, "999999"])) == {there.destination_id}
