"""`fleet matches`: what waits, side by side, and the two decisions."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select
from support.clients import an_api

from common.domain.clock import SystemClock
from common.domain.entities import EntityKey
from common.domain.writes import Review, ReviewKind
from common.http.client import make_transport
from common.storage.reviews import put
from common.storage.tables import dead_letters, events, links, mirror


@pytest.fixture
def waiting(engine):
    """A user who waits for a decision."""

    def make(customer_id, *candidates, source_id="4101"):
        now = SystemClock().now()
        entity = EntityKey(customer_id=customer_id, resource="users", source_id=source_id)
        body = {"first_name": "Ana", "last_name": "Ruiz", "email": "ana@example.org"}
        keys = {"customer_id": customer_id, "resource": "users", "source_id": source_id, "version": 1}
        review = Review(entity=entity, kind=ReviewKind.EMAIL_TAKEN, reason="taken", candidates=candidates)
        with engine.begin() as connection:
            connection.execute(insert(mirror).values(
                **keys, source_updated_at=now, content_hash="h", body=body, raw={}, scan_id="s", seen_at=now,
            ))  # fmt: skip
            connection.execute(insert(events).values(
                **keys, partition=0, action="upsert", event_version=1, payload=body, origin="poll", run_id="r",
                trace_id="t", state="pending", occurred_at=now, detected_at=now, retry_at=now.replace(year=2099),
            ))  # fmt: skip
            put(connection, [review], now)
        return entity

    return make


@pytest.fixture
def contact():
    """Make a contact by hand; gives its id."""

    def make(access):
        person = {"firstName": "Ana", "lastName": "Ruiz", "isPrimary": True}
        body = {"contactType": "Household", "contactIndividuals": [person]}
        api = an_api(access.crm_base_url, access.crm_token, transport=transport)
        return str(api.send("POST", "/api/Contact", body=body).json()["id"])

    transport = make_transport(2.0)
    yield make
    transport.close()


def due_now(engine, entity):
    with engine.connect() as connection:
        retry_at = connection.execute(select(events.c.retry_at).filter_by(source_id=entity.source_id)).scalar_one()
    return retry_at <= SystemClock().now()


def test_what_waits_is_listed_with_its_candidates(fleet, added, waiting):
    added("acme")
    waiting("acme", "77")
    (row,) = fleet("matches", "list", "acme", "--json").data["matches"]

    assert (row["source_id"], row["kind"], row["candidates"]) == ("4101", "email_taken", ["77"])
    assert fleet("matches", "list", "--kind", "ambiguous", "--json").data["matches"] == []
    assert "users/4101" in fleet("matches", "list").out


def test_one_is_shown_beside_its_candidates_and_looking_is_noted(fleet, added, waiting, contact, actions):
    access = added("acme")
    destination_id = contact(access)
    waiting("acme", destination_id, "999999")
    data = fleet("matches", "show", "acme", "users/4101", "--json").data

    assert data["candidates"][destination_id]["last_name"] == "Ruiz"
    assert data["candidates"]["999999"] is None
    assert "Ruiz" in fleet("matches", "show", "acme", "users/4101").out
    assert actions("acme")[0] == "match.shown"


def test_a_link_is_stored_closes_the_review_and_makes_the_record_due(fleet, added, waiting, contact, engine, actions):
    access = added("acme")
    destination_id = contact(access)
    entity = waiting("acme", destination_id)
    assert fleet("matches", "link", "acme", "users/4101", destination_id).code == 0

    with engine.connect() as connection:
        (row,) = connection.execute(select(links)).all()
    assert (row.destination_id, row.details["adopted"], bool(row.details["individual_id"])) == (
        destination_id, True, True,
    )  # fmt: skip
    assert fleet("matches", "list", "--json").data["matches"] == []
    assert due_now(engine, entity)
    assert actions("acme")[0] == "match.linked"


def test_a_record_that_is_not_there_or_is_anothers_is_not_linked(fleet, added, waiting, contact, engine):
    access = added("acme")
    destination_id = contact(access)
    waiting("acme", destination_id)
    waiting("acme", destination_id, source_id="4102")

    assert "has no record 999999" in fleet("matches", "link", "acme", "users/4101", "999999").err
    assert fleet("matches", "link", "acme", "users/4101", destination_id).code == 0
    refused = fleet("matches", "link", "acme", "users/4102", destination_id)
    assert "is linked to users/4101 already" in refused.err
    assert fleet("matches", "link", "acme", "users/4102", destination_id, "--shared").code == 0


def test_a_decision_to_create_is_kept_and_makes_the_record_due(fleet, added, waiting, engine):
    added("acme")
    entity = waiting("acme", "77")
    assert fleet("matches", "create", "acme", "users/4101").code == 0

    assert due_now(engine, entity)
    again = fleet("matches", "create", "acme", "users/4101")
    assert (again.code, "waits for no decision" in again.err) == (1, True)


def test_records_that_do_not_exist_are_said_in_a_line(fleet, added):
    added("acme")

    assert "write RESOURCE/ID" in fleet("matches", "show", "acme", "4101").err
    assert "has never shown users/1" in fleet("matches", "show", "acme", "users/1").err
    assert "there is no such customer" in fleet("matches", "list", "nobody").err


def linked_to(engine, entity, destination_id=None):
    """What it is linked to; given an id, after it was linked to that one and applied."""
    now = SystemClock().now()
    values = {"details": {}, "applied_version": 1, "applied_hash": "h", "created_at": now, "updated_at": now}
    key = {"customer_id": entity.customer_id, "resource": entity.resource, "source_id": entity.source_id}
    with engine.begin() as connection:
        if destination_id is not None:
            connection.execute(insert(links).values(**key, destination_id=destination_id, **values))
        return connection.execute(select(links.c.destination_id).filter_by(**key)).scalar_one()


def test_whose_contact_is_gone_is_linked_to_another_as_its_dead_letter_says(fleet, added, waiting, contact, engine):
    access = added("acme")
    entity = waiting("acme")
    linked_to(engine, entity, "999999")
    another = contact(access)
    outcome = fleet("matches", "link", "acme", "users/4101", another)

    assert (outcome.code, linked_to(engine, entity)) == (0, another)


def test_whose_contact_was_merged_is_linked_to_the_one_that_is_left(fleet, added, waiting, contact, engine, sandbox):
    access = added("acme")
    entity = waiting("acme")
    merged, left = contact(access), contact(access)
    linked_to(engine, entity, merged)
    sandbox.merge_contacts(access.name, loser=int(merged), winner=int(left))
    outcome = fleet("matches", "link", "acme", "users/4101", left)

    assert (outcome.code, linked_to(engine, entity)) == (0, left)


def test_whose_contact_is_there_is_linked_to_another_only_if_a_dead_letter_says_so(
    fleet, added, waiting, contact, engine
):
    access = added("acme")
    entity = waiting("acme")
    first, another = contact(access), contact(access)
    linked_to(engine, entity, first)
    refused = fleet("matches", "link", "acme", "users/4101", another)
    before = linked_to(engine, entity)
    put_letter(engine, entity, "person_gone")

    assert (before, "is linked already" in refused.err) == (first, True)
    assert fleet("matches", "link", "acme", "users/4101", another).code == 0
    assert linked_to(engine, entity) == another


def put_letter(engine, entity, reason):
    with engine.begin() as connection:
        event_id = connection.execute(select(events.c.event_id).filter_by(source_id=entity.source_id)).scalar_one()
        connection.execute(insert(dead_letters).values(
            customer_id=entity.customer_id, event_id=event_id, resource=entity.resource, source_id=entity.source_id,
            stage="apply", reason=reason, run_id="r", trace_id="t", state="open", created_at=SystemClock().now(),
        ))  # fmt: skip
