"""Bad input: a clear error that names customer and field, or a dead letter; never a crash loop, never a silent skip."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from support.waiting import wait_until

from common.domain.customers import System
from common.domain.layers import Layer
from poller import runs


def settle(hub, name) -> None:
    wait_until(lambda: hub.deliver_all(name) or hub.is_done(name), seconds=20, what="all ended")


def test_a_page_that_is_not_json_is_read_again_later_and_nothing_is_lost(hub, organization, sandbox):
    access = organization(users=20)
    hub.onboard(access)
    sandbox.add_faults({"system": "volunteer", "organization": access.name, "kind": "not_json", "rate": 1.0})
    assert hub.poll(access.name) == "continued"
    (report,) = hub.overview.runs(access.name)
    assert (report.state, report.counts.detected) == ("continued", 0)

    sandbox.clear_faults()
    wait_until(lambda: hub.poll(access.name) == "completed", seconds=20, what="a completed run")
    assert hub.states(access.name) == {"pending": 20}


def test_a_record_without_its_required_field_becomes_a_dead_letter_and_its_page_goes_on(hub, organization, sandbox):
    access = organization(users=5)
    hub.onboard(access)
    bad = sandbox.create_user(access.name, omit=["last_name"])
    hub.poll(access.name)
    settle(hub, access.name)

    (letter,) = hub.dead_letters.list(access.name)
    assert (letter.stage, letter.reason, letter.field) == ("detect", "record_invalid", "last_name")
    assert letter.source_id == str(bad["id"])
    assert access.name in letter.message
    assert "fill it in at the source" in letter.message
    assert hub.states(access.name) == {"applied": 5, "dead_lettered": 1}


def test_an_unreadable_record_is_one_dead_letter_however_often_it_is_polled(hub, organization, sandbox):
    access = organization(users=1)
    hub.onboard(access)
    sandbox.create_user(access.name, omit=["last_name"])
    for _ in range(3):
        hub.poll(access.name)

    assert len(hub.dead_letters.list(access.name)) == 1


def test_a_record_that_was_mended_comes_through_and_closes_its_dead_letter(hub, organization, sandbox):
    access = organization(users=1)
    hub.onboard(access)
    bad = sandbox.create_user(access.name, last_name=None)
    hub.poll(access.name)
    sandbox.change_user(access.name, int(bad["id"]), last_name="Mended")
    hub.poll(access.name)
    settle(hub, access.name)

    assert hub.dead_letters.list(access.name) == []
    assert hub.states(access.name) == {"applied": 2, "dead_lettered": 1}


def test_a_replayed_unreadable_record_is_read_again(hub, organization, sandbox):
    """As after an upgrade that can read it: the mirror forgets it, and the checkpoint goes back to before it."""
    access = organization(users=1)
    hub.onboard(access)
    sandbox.create_user(access.name, omit=["last_name"])
    hub.poll(access.name)
    # Another layer has a row of its own beside the poll's.
    runs.run(hub.run_parts, hub.customers.get(access.name), "users", Layer.RECONCILIATION)
    (letter,) = hub.dead_letters.list(access.name)
    assert hub.dead_letters.replay(letter, hub.clock.now())
    assert not hub.dead_letters.replay(letter, hub.clock.now()), "a letter is replayed once"
    hub.poll(access.name)

    (again,) = hub.dead_letters.list(access.name)
    assert again.dead_letter_id != letter.dead_letter_id
    assert hub.states(access.name)["superseded"] == 1


def test_one_poisonous_record_does_not_keep_its_batch_out(hub, organization, sandbox):
    """CRM+ refuses a whole batch for one bad item; halving finds it."""
    access = organization(users=30)
    hub.onboard(access)
    bad = sandbox.create_user(access.name, email="no-at-sign")
    # A scan of several pages ends at the source's clock, which may be a second behind the newest record.
    wait_until(
        lambda: hub.poll(access.name) and sum(hub.states(access.name).values()) == 31, seconds=10, what="detection"
    )
    settle(hub, access.name)

    (letter,) = hub.dead_letters.list(access.name)
    assert (letter.stage, letter.source_id) == ("apply", str(bad["id"]))
    assert letter.status in (400, 422)
    assert "email" in letter.field
    assert hub.states(access.name) == {"applied": 30, "dead_lettered": 1}


def test_an_unknown_enum_value_is_kept_and_an_unknown_field_is_ignored(hub, organization, sandbox):
    access = organization(users=1)
    hub.onboard(access)
    sandbox.create_user(access.name, gender="X", membership_status="LOBBY", shoe_size=44)
    hub.poll(access.name)
    settle(hub, access.name)

    contacts = sandbox.export(access.name)["destination"]["contacts"]
    assert "X" in {row["contactIndividuals"][0]["gender"] for row in contacts}
    with hub.engine.connect() as connection:
        raw = connection.exec_driver_sql("SELECT raw FROM mirror WHERE raw ? 'shoe_size'").scalar_one()
    assert raw["shoe_size"] == 44


@pytest.mark.parametrize("text", ["nul\x00char", "lone\ud800surrogate", "\U0001f600 emoji", "x" * 100_000])
def test_text_that_a_database_cannot_hold_does_not_stop_a_page(hub, organization, sandbox, text):
    access = organization(users=3)
    hub.onboard(access)
    opened = hub.run_parts.open_source
    hub.with_run_parts(open_source=lambda customer, share: spoil(opened(customer, share), text))

    assert hub.poll(access.name) == "completed"
    assert hub.states(access.name) == {"pending": 3}


class Spoiled:
    """The API of a source, with `text` in every item of every answer."""

    def __init__(self, inner, text) -> None:
        self._inner = inner
        self._text = text

    def read(self, *args, **options):
        answer = self._inner.read(*args, **options)
        body = answer.json()
        items = [{**item, "phone": self._text, "note": [self._text]} for item in body["data"]]
        return SimpleNamespace(status=answer.status, date=answer.date, json=lambda: {**body, "data": items})


def spoil(source, text):
    source._api = Spoiled(source._api, text)
    return source


def test_a_stamp_from_the_future_does_not_carry_the_checkpoint_past_later_changes(hub, organization, sandbox):
    access = organization(users=3)
    hub.onboard(access)
    sandbox.create_user(access.name, updated_at="2090-01-01T00:00:00+00:00")
    hub.poll(access.name)
    sandbox.create_user(access.name)
    hub.poll(access.name)

    assert hub.states(access.name) == {"pending": 5}


def test_an_event_of_an_unknown_version_waits_as_a_dead_letter_for_a_newer_release(hub, organization):
    access = organization(users=2)
    hub.onboard(access)
    hub.poll(access.name)
    with hub.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE events SET event_version = 99 WHERE event_id = 1")
        connection.exec_driver_sql("UPDATE events SET action = 'merge' WHERE event_id = 2")
    settle(hub, access.name)

    letters = {letter.event_id: letter for letter in hub.dead_letters.list(access.name)}
    assert letters[1].reason == "unknown_event_version"
    assert letters[2].reason == "unknown_action"
    assert "upgrade the processors" in letters[1].message
    assert access.name in letters[1].message


def test_a_rejected_token_blocks_that_source_and_says_what_to_do(hub, organization, sandbox):
    access = organization(users=2)
    hub.onboard(access)
    sandbox.change_organization(access.name, volunteer_token_valid=False)
    assert hub.poll(access.name) == "continued"

    assert hub.customers.get(access.name).is_active
    breaker = hub.breakers.of(access.name)["source"]
    assert breaker.state == "blocked"
    assert access.name in breaker.reason
    assert "fleet customers token" in breaker.reason
    assert access.volunteer_token not in breaker.reason


def test_a_rejected_token_at_the_destination_keeps_the_events_for_later(hub, organization, sandbox):
    access = organization(users=2)
    hub.onboard(access)
    hub.poll(access.name)
    sandbox.change_organization(access.name, crm_token_valid=False)
    hub.deliver(access.name)
    assert hub.customers.get(access.name).is_active
    assert hub.breakers.of(access.name)["destination"].state == "blocked"
    assert hub.states(access.name) == {"pending": 2}

    sandbox.change_organization(access.name, crm_token_valid=True)
    hub.breakers.unblock(access.name, System.DESTINATION)
    settle(hub, access.name)
    assert hub.states(access.name) == {"applied": 2}


def test_a_malformed_destination_setting_pauses_the_customer_and_names_the_key(hub, organization):
    access = organization(users=2)
    hub.onboard(access, batch_sise=10)
    hub.poll(access.name)
    hub.deliver(access.name)

    assert "destination_settings.batch_sise" in hub.customers.get(access.name).status_reason


def test_too_many_dead_letters_pause_applying_and_polling_goes_on_to_store(hub, organization, sandbox):
    access = organization(users=12)
    hub.with_slice_parts(dead_letter_limit=5, slice_events=2)
    hub.onboard(access, create="direct")
    creates = {"system": "crm", "method": "POST", "route": "/api/Contact"}
    sandbox.add_faults({**creates, "kind": "error", "status": 422, "rate": 1.0})
    hub.poll(access.name)
    while hub.deliver(access.name):
        pass

    customer = hub.customers.get(access.name)
    assert customer.is_active
    assert "dead letters" in customer.applying_paused
    assert len(hub.dead_letters.list(access.name)) < 12
    assert access.name not in {work.customer_id for work in hub.overview.due_work(hub.clock.now())}

    sandbox.clear_faults()
    pending = hub.states(access.name)["pending"]
    sandbox.create_user(access.name)
    wait_until(
        lambda: hub.poll(access.name) and hub.states(access.name)["pending"] > pending, seconds=10, what="a store"
    )
    assert not hub.deliver(access.name)

    hub.customers.resume(access.name)
    settle(hub, access.name)
    assert hub.states(access.name).get("pending", 0) == 0
