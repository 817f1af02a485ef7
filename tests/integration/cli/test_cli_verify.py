"""`fleet verify`: three sides compared over the real APIs, in few requests, and what differs named and mended."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select, update
from support.hub import MASTER_KEY

from common.domain.clock import SystemClock
from common.domain.events import OPEN_STATES
from common.domain.layers import Layer
from common.domain.runs import RunState
from common.storage.tables import checkpoints, events, links, mirror
from common.storage.verified_tables import verified
from poller import runs


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

    def told(*options, resource="users"):
        outcome = fleet("verify", acme.name, *(("--resource", resource) if resource else ()), *options, "--json")
        return {"code": outcome.code, "err": outcome.err, **json.loads(outcome.out)}

    def call(*options, resource="users"):
        data = told(*options, resource=resource)
        return data["code"], {each["resource"]: each for each in data["resources"]}, data["err"]

    call.told = told
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


def open_events(engine, access):
    query = select(events).filter_by(customer_id=access.name).where(events.c.state.in_(OPEN_STATES))
    with engine.connect() as connection:
        return connection.execute(query).all()


def contacts(sandbox, access):
    return sandbox.export(access.name)["destination"]["contacts"]


def contains(engine, access, user_id):
    query = select(mirror.c.source_id).filter_by(customer_id=access.name, resource="users", source_id=str(user_id))
    with engine.connect() as connection:
        return connection.execute(query).first() is not None


def read_again(hub, access, layer):
    """As the worker that takes the message; None: nobody has asked for it."""
    return runs.run(hub.run_parts, hub.customers.get(access.name), "users", layer, only_if_due=True)


def classes(certificate):
    return [(each["source_id"], each["drift"]) for each in certificate["differing"]]


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
    assert (code, classes(found["users"])) == (1, [(source_id, "lost"), (source_id, "unlinked_at_destination")])
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


def test_what_is_gone_at_the_source_is_named_by_a_full_check_and_counted_by_any(verify, acme, sandbox, engine):
    source_id, _ = contact_of(engine, acme)
    sandbox.delete_user(acme.name, int(source_id))

    code, found, _ = verify()
    assert (code, named(found["users"])) == (1, {})
    assert "the source says 7 records and the mirror has 8" in found["users"]["notes"][-1]
    _, found, _ = verify("--full")
    assert named(found["users"]) == {source_id: "stale_mirror"}


def test_what_is_gone_and_still_shown_at_the_destination_is_extra_and_a_repair_takes_it_back(
    verify, acme, engine, hub, sandbox
):
    source_id, contact = contact_of(engine, acme)
    sandbox.delete_user(acme.name, int(source_id))
    with engine.begin() as connection:  # seen, and its event lost
        own = update(mirror).filter_by(customer_id=acme.name, resource="users", source_id=source_id)
        connection.execute(own.values(deleted_at=func.now()))

    code, found, _ = verify("--repair")
    (row,) = found["users"]["differing"]
    assert (code, row["source_id"], row["drift"], row["destination_id"]) == (1, source_id, "extra", str(contact))
    (event,) = open_events(engine, acme)
    assert (event.source_id, event.action, event.version, event.origin) == (source_id, "delete", 2, "reconciliation")
    hub.deliver_all(acme.name)
    assert [each["id"] for each in contacts(sandbox, acme) if each["isArchived"]] == [contact]
    assert verify("--full")[0] == 0


def test_a_repair_asks_for_a_reading_that_reaches_as_far_back_as_the_checkpoint(verify, acme, engine, hub, sandbox):
    late, old = (SystemClock().now() - timedelta(days=days) for days in (3, 4))
    user = sandbox.create_user(acme.name, updated_at=late.replace(microsecond=0).isoformat())
    with engine.begin() as connection:
        own = {"customer_id": acme.name, "resource": "users"}
        connection.execute(update(checkpoints).filter_by(**own, layer="poll").values(position=old))

    _, found, _ = verify("--repair")
    assert named(found["users"]) == {str(user["id"]): "missing_from_mirror"}
    outcome = verify.told("--repair")
    assert "under way and goes on: ask again" in outcome["repaired"]["users"]
    assert read_again(hub, acme, Layer.RECONCILIATION) is RunState.COMPLETED
    assert contains(engine, acme, user["id"])
    hub.deliver_all(acme.name)
    assert verify()[0] == 0


def test_a_repair_of_what_a_full_check_has_found_reads_all(verify, acme, engine, hub, sandbox):
    source_id, _ = contact_of(engine, acme)
    sandbox.change_user(acme.name, int(source_id), first_name="Silently", silent=True)

    assert verify()[0] == 0
    _, found, _ = verify("--full", "--repair")
    assert named(found["users"]) == {source_id: "stale_mirror"}
    assert read_again(hub, acme, Layer.FULL) is RunState.COMPLETED
    hub.deliver_all(acme.name)
    assert verify("--full")[0] == 0


def test_a_double_that_carries_our_reference_is_told_and_never_repaired(verify, acme, engine, sandbox):
    source_id, _ = contact_of(engine, acme)
    person = [{"firstName": "Dou", "lastName": "Ble", "isPrimary": True, "contactMethods": []}]
    made = {"contactType": "Household", "contactIndividuals": person}
    sandbox.create_contact(acme.name, **made, references=[{"source": "Other", "id": "77"}])
    double = sandbox.create_contact(acme.name, **made, references=[{"source": "Syncfleet", "id": "4711"}])

    code, found, _ = verify("--full", "--repair")
    (row,) = found["users"]["differing"]
    assert (code, row["source_id"], row["drift"]) == (1, "4711", "unlinked_at_destination")
    assert row["destination_id"] == str(double["id"]) != source_id
    assert open_events(engine, acme) == []
    code, found, _ = verify()
    assert (code, found["users"]["how"]) == (1, "since")
    sandbox.archive_contact(acme.name, double["id"])
    assert verify()[0] == 0


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
    assert (code, classes(found["users"])) == (1, [(source_id, "lost"), (source_id, "unlinked_at_destination")])


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
