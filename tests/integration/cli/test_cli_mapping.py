"""`fleet mapping` and `fleet customers set --mapping`: said, checked, tried, applied."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import insert, select

from common.domain.clock import SystemClock
from common.storage.tables import events, mirror

PERSON = {"first_name": "Ana", "last_name": "Ruiz", "email": "ana@example.org", "extra": {"shirt": "m"}}
MAPPING = {"users": {"fields": [{"from": "extra.shirt", "to": "custom:Shirt Size", "transform": "upper"}]}}


@pytest.fixture
def mapping_file(tmp_path):
    def write(value):
        path = tmp_path / "mapping.json"
        path.write_text(json.dumps(value))
        return path

    return write


@pytest.fixture
def shown(engine):
    """The source has shown this person."""

    def put(customer_id, source_id="4101", resource="users", **changes):
        now = SystemClock().now()
        keys = {"customer_id": customer_id, "resource": resource, "source_id": source_id}
        common = {**keys, "version": 1}
        with engine.begin() as connection:
            connection.execute(insert(mirror).values(
                **common, source_updated_at=now, content_hash="h", body={**PERSON, **changes}, raw={}, scan_id="s",
                seen_at=now,
            ))  # fmt: skip
            connection.execute(insert(events).values(
                **common, partition=0, action="upsert", event_version=1, payload={**PERSON, **changes}, origin="poll",
                run_id="r", trace_id="t", state="applied", occurred_at=now, detected_at=now, retry_at=now,
            ))  # fmt: skip

    return put


def test_a_mapping_is_set_from_a_file_and_shown_with_the_fields_that_go_as_they_are(fleet, added, stored, mapping_file):
    added("acme")
    assert fleet("customers", "set", "acme", "--mapping", mapping_file(MAPPING)).code == 0
    rows = fleet("mapping", "show", "acme", "--resource", "users", "--json").data["mapping"]

    assert stored("acme").mapping == MAPPING
    assert {row["to"]: (row["from"], row["transform"]) for row in rows}["custom:Shirt Size"] == ("extra.shirt", "upper")
    assert {row["to"]: row["from"] for row in rows}["phone"] == "phone"


def test_a_changed_mapping_is_told_rule_by_rule_and_how_to_send_what_is_there(fleet, added, mapping_file):
    added("acme")
    said = {"users": {"fields": [{"from": "gender", "to": "custom:Shirt Size", "transform": "upper"}]}}
    out = fleet("customers", "set", "acme", "--mapping", mapping_file(said)).out

    assert "mapping.users" in out
    assert "gender to custom:Shirt Size" in out
    assert "`fleet mapping apply acme`" in out


def test_a_mapping_that_is_wrong_is_refused_with_its_path_and_nothing_is_stored(fleet, added, stored, mapping_file):
    added("acme")
    outcome = fleet("customers", "set", "acme", "--mapping", mapping_file({"users": {"fields": [{"from": "fone"}]}}))

    assert outcome.code == 1
    assert "customer 'acme': mapping.users.fields.0" in outcome.err
    assert stored("acme").mapping == {}


@pytest.mark.parametrize("text", ["[]", "{", ""])
def test_a_file_that_is_no_object_is_said_in_a_line(fleet, added, tmp_path, text):
    added("acme")
    (tmp_path / "m.json").write_text(text)
    outcome = fleet("customers", "set", "acme", "--mapping", tmp_path / "m.json")

    assert outcome.code == 1
    assert outcome.err.startswith("error: customer 'acme': mapping: ")
    assert len(outcome.err.splitlines()) == 1


def test_a_target_that_the_destination_lacks_is_named_by_check(fleet, added, mapping_file):
    added("acme")
    assert fleet("mapping", "check", "acme").code == 0
    said = {"users": {"fields": [{"from": "phone", "to": "custom:No Such Field"}]}}
    fleet("customers", "set", "acme", "--mapping", mapping_file(said))
    outcome = fleet("mapping", "check", "acme")

    assert outcome.code == 1
    assert "has no custom field 'No Such Field'" in outcome.out


def test_nothing_is_applied_again_while_a_target_is_missing(fleet, added, shown, mapping_file, engine):
    added("acme")
    shown("acme")
    said = {"users": {"fields": [{"from": "phone", "to": "custom:No Such Field"}]}}
    fleet("customers", "set", "acme", "--mapping", mapping_file(said))
    outcome = fleet("mapping", "apply", "acme")

    assert (outcome.code, outcome.out) == (1, "")
    assert "nothing is sent: " in outcome.err
    assert "has no custom field 'No Such Field'" in outcome.err
    with engine.connect() as connection:
        assert connection.execute(select(events.c.event_id).where(events.c.state == "pending")).all() == []


def test_a_try_prints_the_bodies_that_would_be_sent_and_sends_nothing(fleet, added, shown, sandbox, mapping_file):
    access = added("acme")
    shown("acme")
    fleet("customers", "set", "acme", "--mapping", mapping_file(MAPPING))
    before = sum(1 for entry in sandbox.journal() if entry["method"] != "GET")
    data = fleet("mapping", "try", "acme", "--record", "4101", "--json").data

    assert "SHIRT" not in json.dumps(data)
    assert '"Shirt Size": "M"' in json.dumps(data["requests"])
    assert '"firstName": "Ana"' in json.dumps(data["requests"])
    assert sum(1 for entry in sandbox.journal() if entry["method"] != "GET") == before
    assert access.crm_token not in json.dumps(data)


def test_a_try_of_a_record_that_would_be_refused_says_why_and_fails(fleet, added, shown):
    added("acme")
    shown("acme", last_name="")
    outcome = fleet("mapping", "try", "acme", "--record", "users/4101")

    assert outcome.code == 1
    assert "last_name" in outcome.err


def test_a_try_is_refused_where_sending_would_be_and_names_the_field(fleet, added, shown, mapping_file):
    added("acme")
    shown("acme")
    wrong = {"users": {"fields": [{"from": "last_name", "to": "custom:Shirt Sze"}]}}
    fleet("customers", "set", "acme", "--mapping", mapping_file(wrong))
    outcome = fleet("mapping", "try", "acme", "--record", "4101")

    assert (outcome.code, outcome.out) == (1, "")
    assert "field 'custom:Shirt Sze': CRM+ has no such custom field" in outcome.err


def test_a_record_that_was_never_shown_cannot_be_tried(fleet, added):
    added("acme")

    assert "has never shown users/9" in fleet("mapping", "try", "acme", "--record", "9").err
    assert "is no resource" in fleet("mapping", "try", "acme", "--record", "people/9").err
    assert "write RESOURCE/ID" in fleet("mapping", "try", "acme", "--record", "users").err


def test_apply_sends_every_record_again_and_a_dry_run_counts_only(fleet, added, shown, engine):
    added("acme")
    shown("acme", "1")
    shown("acme", "2")
    query = select(events.c.source_id, events.c.state).where(events.c.state == "pending")

    assert fleet("mapping", "apply", "acme", "--dry-run", "--json").data["records"] == {"users": 2}
    with engine.connect() as connection:
        assert connection.execute(query).all() == []
    assert fleet("mapping", "apply", "acme", "--json").data["records"] == {"users": 2}
    with engine.connect() as connection:
        assert sorted(connection.execute(query).all()) == [("1", "pending"), ("2", "pending")]


def test_apply_leaves_out_what_nothing_is_written_of(fleet, added, shown):
    added("acme")
    for resource in ("users", "campaigns", "organizations", "forms"):
        shown("acme", "1", resource)

    assert fleet("mapping", "apply", "acme", "--dry-run", "--json").data["records"] == {"users": 1}
    alone = fleet("mapping", "apply", "acme", "--resource", "forms")
    assert (alone.code, alone.out) == (1, "")
    assert alone.err.startswith("error: forms: kept for look-up, and nothing is written of them")
