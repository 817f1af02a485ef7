"""`fleet verify`: three sides compared over the real APIs, in few requests, and what differs named and mended."""

from __future__ import annotations

import base64
import json

import pytest
from sqlalchemy import delete, func, select, update
from support.hub import MASTER_KEY

from common.storage.tables import events, links, mirror
from common.storage.verified_tables import verified


@pytest.fixture
def acme(hub, organization):
    """Eight people, in step on all sides."""
    access = organization(users=8)
    hub.onboard(access, create="direct")
    settle(hub, access)
    return access


@pytest.fixture
def verify(fleet, monkeypatch, acme):
    """The command, of users; gives its exit code and what it says."""
    monkeypatch.setenv("FLEET_MASTER_KEY", base64.b64encode(MASTER_KEY).decode())

    def call(*options, resource="users"):
        outcome = fleet("verify", acme.name, *(("--resource", resource) if resource else ()), *options, "--json")
        data = json.loads(outcome.out)
        return outcome.code, {each["resource"]: each for each in data["resources"]}, outcome.err

    return call


def settle(hub, access, *resources):
    for name in resources or ("users",):
        hub.poll(access.name, name)
    hub.deliver_all(access.name)


def contact_of(engine, access, source_id=None):
    """(source id, contact id) of one who is linked."""
    query = select(links.c.source_id, links.c.destination_id).filter_by(customer_id=access.name, resource="users")
    with engine.connect() as connection:
        rows = connection.execute(query.order_by(links.c.source_id)).all()
    return next((row.source_id, int(row.destination_id)) for row in rows if source_id in (None, row.source_id))


def named(certificate):
    return {each["source_id"]: each["drift"] for each in certificate["differing"]}


def test_all_is_equal_after_everything_is_applied_and_a_second_look_costs_four_requests(verify):
    code, found, _ = verify()
    first = found["users"]
    assert (code, first["outcome"], first["how"]) == (0, "equal", "whole")
    assert (first["source"]["total"], first["mirrored"], first["expected"], first["held"]) == (8, 8, 8, 8)
    assert first["left_root"] == first["right_root"]

    code, found, _ = verify()
    second = found["users"]
    assert (code, second["outcome"], second["how"]) == (0, "equal", "since")
    assert second["left_root"] == first["left_root"]
    assert second["source_requests"] + second["destination_requests"] <= 4


def test_one_contact_that_staff_have_changed_is_the_one_that_is_named_and_is_mended(verify, acme, hub, sandbox, engine):
    verify()
    source_id, contact = contact_of(engine, acme)
    sandbox.change_contact(acme.name, contact, firstName="Tampered", email="tampered@example.org")

    code, found, error = verify()
    certificate = found["users"]
    assert (code, named(certificate)) == (1, {source_id: "changed_at_destination"})
    assert certificate["differing"][0]["fields"] == ["email", "firstName"]
    assert certificate["destination_requests"] <= 2
    assert "1 records" in error
    assert "tampered" not in json.dumps(certificate).lower()

    assert verify("--repair")[0] == 1
    hub.deliver_all(acme.name)
    assert verify()[0] == 0


def test_staffs_own_fields_and_their_own_contacts_do_not_count(verify, acme, sandbox, engine):
    verify()
    _, contact = contact_of(engine, acme)
    sandbox.change_contact(acme.name, contact, description="Likes dogs")
    sandbox.create_contact(acme.name, contactType="Household", contactIndividuals=[
        {"firstName": "Donna", "lastName": "Donor", "isPrimary": True, "contactMethods": []}])  # fmt: skip

    assert verify()[0] == 0
    assert verify("--full")[0] == 0


def test_a_contact_that_staff_have_archived_is_named(verify, acme, sandbox, engine):
    verify()
    source_id, contact = contact_of(engine, acme)
    sandbox.archive_contact(acme.name, contact)

    _, found, _ = verify()
    assert named(found["users"]) == {source_id: "changed_at_destination"}
    assert found["users"]["differing"][0]["fields"] == ["isArchived"]


def test_a_record_lost_behind_our_back_is_found_and_repair_mends_it(verify, acme, hub, engine):
    verify()
    source_id, contact = contact_of(engine, acme)
    with engine.begin() as connection:
        for table in (events, links):
            connection.execute(delete(table).filter_by(customer_id=acme.name, resource="users", source_id=source_id))

    code, found, _ = verify("--repair")
    assert (code, named(found["users"])) == (1, {source_id: "lost"})
    _, found, _ = verify()
    assert named(found["users"]) == {source_id: "not_yet_applied"}
    hub.deliver_all(acme.name)
    assert verify()[0] == 0
    assert contact_of(engine, acme, source_id)[1] == contact


def test_without_repair_nothing_is_changed(verify, acme, sandbox, engine):
    _, contact = contact_of(engine, acme)
    sandbox.change_contact(acme.name, contact, firstName="Tampered")
    with engine.connect() as connection:
        before = connection.execute(select(func.count()).select_from(events)).scalar_one()

    assert verify()[0] == 1
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(events)).scalar_one() == before


def test_what_waits_to_be_applied_is_not_called_lost(verify, acme, hub, sandbox):
    user = sandbox.create_user(acme.name)
    hub.poll(acme.name)

    code, found, _ = verify()
    assert (code, named(found["users"])) == (1, {str(user["id"]): "not_yet_applied"})


def test_what_the_source_has_and_the_mirror_lacks_is_named(verify, acme, hub, sandbox):
    user = sandbox.create_user(acme.name)

    _, found, _ = verify()
    assert named(found["users"]) == {str(user["id"]): "missing_from_mirror"}
    _, found, _ = verify("--full", "--repair")
    assert named(found["users"]) == {str(user["id"]): "missing_from_mirror"}


def test_what_is_gone_at_the_source_is_named_by_a_full_check_and_counted_by_any(verify, acme, sandbox, engine):
    source_id, _ = contact_of(engine, acme)
    sandbox.delete_user(acme.name, int(source_id))

    code, found, _ = verify()
    assert (code, named(found["users"])) == (1, {})
    assert "the source says 7 records and the mirror has 8" in found["users"]["notes"][-1]
    _, found, _ = verify("--full")
    assert named(found["users"]) == {source_id: "stale_mirror"}


def test_what_is_gone_and_still_shown_at_the_destination_is_extra(verify, acme, engine, hub):
    source_id, _ = contact_of(engine, acme)
    with engine.begin() as connection:
        own = update(mirror).filter_by(customer_id=acme.name, resource="users", source_id=source_id)
        connection.execute(own.values(deleted_at=func.now()))

    _, found, _ = verify("--repair")
    assert named(found["users"])[source_id] in ("extra", "missing_from_mirror")


def test_records_that_vanish_at_the_destination_are_noticed_by_their_number(verify, acme, engine, sandbox):
    verify()
    source_id, contact = contact_of(engine, acme)
    with engine.begin() as connection:  # as if one more had been there
        connection.exec_driver_sql("UPDATE verifications SET there = there + 1")

    _, found, _ = verify()
    assert found["users"]["how"] == "whole"
    assert "have vanished" in found["users"]["notes"][0]
    del source_id, contact


def test_a_link_to_a_contact_that_is_not_there_is_lost(verify, acme, engine):
    source_id, _ = contact_of(engine, acme)
    with engine.begin() as connection:
        own = update(links).filter_by(customer_id=acme.name, resource="users", source_id=source_id)
        connection.execute(own.values(destination_id="99999999"))

    code, found, _ = verify()
    assert (code, named(found["users"])) == (1, {source_id: "lost"})


def test_the_last_certificate_is_kept_and_holds_nothing_personal(fleet, verify, acme, engine):
    verify()
    outcome = fleet("verify", acme.name, "--last")
    assert outcome.code == 0
    assert "EQUAL" in outcome.out
    with engine.connect() as connection:
        row = connection.execute(select(verified)).first()
    assert acme.canary.lower() not in str(row).lower()


def test_a_breaker_that_is_open_ends_it_with_a_line_and_code_2(fleet, verify, acme, hub):
    hub.breakers.block(acme.name, "destination", "the destination rejects the token", hub.clock.now())
    code, found, error = verify(resource=None)
    assert code == 2
    assert {each["outcome"] for each in found.values()} == {"stopped"}
    assert len(error.splitlines()) == 1
    assert "could not be checked" in error
    assert fleet("verify", acme.name, "--last").code == 2
