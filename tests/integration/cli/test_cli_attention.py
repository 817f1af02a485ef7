"""What waits for a person shows in `fleet status`: custom fields that were removed, and open reviews."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from support.hub import MASTER_KEY
from support.waiting import wait_until

from common.domain.entities import EntityKey
from common.domain.writes import Review, ReviewKind
from common.queueing.asked import Asked
from common.queueing.celery_app import make_app
from common.queueing.deliveries import Deliveries
from common.queueing.hot_set import HotSet
from common.storage import reviews
from poller.targets import MOST_AT_ONCE, ask_for_checks
from processor.bootstrap import Processor
from processor.tasks import check_mapping_of

SHIRT = {"users": {"fields": [{"from": "phone", "to": "custom:Shirt Size"}]}}
MEND = "crm_plus has no custom field 'Shirt Size'; create it there, or correct `to`, then `fleet mapping check {}`"


@pytest.fixture
def fleet(fleet, monkeypatch):
    """With the hub's master key: commands and workers open the same tokens."""
    monkeypatch.setenv("FLEET_MASTER_KEY", base64.b64encode(MASTER_KEY).decode())
    return fleet


@pytest.fixture
def deliveries(hub, servers, redis):
    app = make_app("targets", servers.broker_url, log_format="text", log_level="ERROR")
    yield Deliveries(app, HotSet(redis), hub.clock, hub.metrics)
    app.close()


@pytest.fixture
def processor(hub, deliveries):
    return Processor(
        clock=hub.clock, metrics=hub.metrics, customers=hub.customers, slice_parts=hub.slice_parts,
        deliveries=deliveries, references=hub.references, nights=hub.nights,
    )  # fmt: skip


@pytest.fixture
def mapped(hub, organization):
    """A customer whose mapping fills a custom field that its organization has."""

    def make(mapping=SHIRT, **settings):
        customer = hub.onboard(organization(users=1, **settings))
        hub.customers.change(replace(customer, mapping=mapping))
        return customer.customer_id

    return make


@pytest.fixture
def standing(fleet):
    """One line of `fleet status --json`."""

    def read(customer_id):
        (row,) = fleet("status", customer_id, "--json").data["customers"]
        return row

    return read


def unbroken(text):
    """Where a line is broken depends on the width of nobody's terminal."""
    return "".join(text.split())


def test_a_field_that_staff_removed_is_named_by_status_and_is_not_once_it_is_back(
    fleet, processor, mapped, sandbox, standing
):
    name = mapped()
    check_mapping_of(processor, name)
    assert standing(name)["missing_targets"] == []
    assert standing(name)["targets_looked_at"] is not None

    sandbox.remove_custom_field(name, "Contact", "Shirt Size")
    check_mapping_of(processor, name)
    mend = MEND.format(name)
    assert standing(name)["missing_targets"] == [{"resource": "users", "field": "Shirt Size", "mend": mend}]
    assert unbroken(f"{name}: mapping.users: {mend} (looked at ") in unbroken(fleet("status").out)

    sandbox.define_custom_field(name, "Contact", "Shirt Size", dataType="Text")
    check_mapping_of(processor, name)
    assert standing(name)["missing_targets"] == []


def test_a_check_by_a_person_sets_and_clears_it_at_once(fleet, mapped, sandbox, standing):
    name = mapped()
    sandbox.remove_custom_field(name, "Contact", "Shirt Size")
    assert fleet("mapping", "check", name).code == 1
    assert [row["field"] for row in standing(name)["missing_targets"]] == ["Shirt Size"]

    sandbox.define_custom_field(name, "Contact", "Shirt Size", dataType="Text")
    assert fleet("mapping", "check", name).code == 0
    assert standing(name)["missing_targets"] == []


def test_a_changed_mapping_takes_the_finding_of_the_former_with_it(fleet, mapped, sandbox, standing, tmp_path):
    name = mapped()
    sandbox.remove_custom_field(name, "Contact", "Shirt Size")
    fleet("mapping", "check", name)
    (tmp_path / "m.json").write_text("{}")

    assert fleet("customers", "set", name, "--mapping", tmp_path / "m.json", "--dry-run").code == 0
    assert len(standing(name)["missing_targets"]) == 1
    assert fleet("customers", "set", name, "--mapping", tmp_path / "m.json").code == 0
    assert standing(name)["missing_targets"] == []


def test_a_mapping_that_is_changed_while_its_destination_is_away_is_looked_at_later(
    fleet, hub, mapped, sandbox, standing, tmp_path
):
    name = mapped()
    sandbox.remove_custom_field(name, "Contact", "Shirt Size")
    fleet("mapping", "check", name)
    (tmp_path / "m.json").write_text('{"users": {"fields": [{"from": "phone", "to": "custom:Hours Goal"}]}}')
    sandbox.add_faults({"system": "crm", "organization": name, "kind": "error", "status": 503})

    outcome = fleet("customers", "set", name, "--mapping", tmp_path / "m.json")

    assert (outcome.code, "whether the custom fields are there is not known" in outcome.err) == (0, True)
    assert (standing(name)["missing_targets"], standing(name)["targets_looked_at"]) == ([], None)
    assert [each.looked_at for each in hub.overview.mapped(hub.clock.now())] == [None]


def test_where_the_destination_is_away_the_finding_before_stays(processor, mapped, sandbox, standing):
    name = mapped()
    sandbox.remove_custom_field(name, "Contact", "Shirt Size")
    check_mapping_of(processor, name)
    before = standing(name)
    sandbox.add_faults({"system": "crm", "organization": name, "kind": "error", "status": 503})
    check_mapping_of(processor, name)

    assert len(before["missing_targets"]) == 1
    assert standing(name)["missing_targets"] == before["missing_targets"]
    assert standing(name)["targets_looked_at"] == before["targets_looked_at"]


def test_a_look_is_one_request_of_the_customers_own_budget_and_none_without_custom_fields(processor, mapped, sandbox):
    with_fields, without = mapped(), mapped({"groups": {"off": True}})
    check_mapping_of(processor, with_fields)
    check_mapping_of(processor, without)

    asked = [row["organization"] for row in sandbox.journal() if row["path"].endswith("/CustomFields")]
    assert (asked.count(with_fields), asked.count(without)) == (1, 0)


def test_a_paused_customer_is_not_asked(hub, processor, mapped, sandbox):
    name = mapped()
    hub.customers.pause(name, "by hand")
    check_mapping_of(processor, name)

    assert not [row for row in sandbox.journal() if row["organization"] == name]


def test_the_sweep_asks_for_each_customer_with_a_mapping_once(hub, mapped, organization, deliveries, redis):
    plain = hub.onboard(organization(users=1)).customer_id
    paused, one = mapped(), mapped()
    hub.customers.pause(paused, "by hand")
    now, asked = hub.clock.now(), Asked(redis)

    assert ask_for_checks(hub.overview.mapped, deliveries, asked, now) == 1
    redis.delete("asked:mapping targets")  # a minute later
    assert ask_for_checks(hub.overview.mapped, deliveries, asked, now) == 0
    assert [redis.llen(f"events.{name}") for name in (plain, paused, one)] == [0, 0, 1]


def test_a_whole_fleet_is_not_asked_at_once(hub, mapped, organization, deliveries, redis):
    name = mapped()
    access = hub.customers.get(name)
    for number in range(MOST_AT_ONCE + 9):
        hub.customers.add(replace(access, customer_id=f"x{number}", mapping=SHIRT))

    counts = []
    for _ in range(3):
        counts.append(ask_for_checks(hub.overview.mapped, deliveries, Asked(redis), hub.clock.now()))
        redis.delete("asked:mapping targets")
    assert counts == [MOST_AT_ONCE, 10, 0]


@pytest.mark.slow
def test_the_running_fleet_finds_what_is_missing_by_itself(mapped, hub, sandbox, start_fleet):
    name = mapped()
    sandbox.remove_custom_field(name, "Contact", "Shirt Size")
    start_fleet(processors=1)

    def found():
        (row,) = hub.overview.customers()
        return row.targets is not None and [each.field for each in row.targets.missing] == ["Shirt Size"]

    wait_until(found, seconds=30, what="the finding")


def test_open_reviews_show_by_kind_with_the_command_that_lists_them(fleet, hub, organization, engine, standing):
    name = hub.onboard(organization(users=1)).customer_id
    assert standing(name)["reviews"] is None
    kinds = [ReviewKind.EMAIL_TAKEN, ReviewKind.EMAIL_TAKEN, ReviewKind.HELD_IMPORT]
    found = [
        Review(
            entity=EntityKey(customer_id=name, resource="users", source_id=str(number)), kind=kind, reason="why",
            candidates=(),
        )
        for number, kind in enumerate(kinds)
    ]  # fmt: skip
    with engine.begin() as connection:
        reviews.put(connection, found, hub.clock.now())

    assert standing(name)["reviews"] == {
        "kinds": {"email_taken": 2, "held_import": 1}, "mend": f"`fleet matches list {name}`",
    }  # fmt: skip
    line = f"{name}: 2 email_taken, 1 held_import to be decided: `fleet matches list {name}`"
    assert unbroken(line) in unbroken(fleet("status").out)

    hub_reviews = reviews.PostgresReviews(engine)
    for each in found:
        hub_reviews.create(each.entity, hub.clock.now())
    assert standing(name)["reviews"] is None
