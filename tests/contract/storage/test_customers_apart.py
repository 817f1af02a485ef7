"""What is looked for on behalf of one customer is never found with another, whatever ids they share."""

from __future__ import annotations

import pytest
from support.builders import NOW, a_link, a_page, a_record, after, an_entity, an_intent

from common.domain.clock import ManualClock
from common.domain.errors import LockLost
from common.domain.events import EventState
from common.domain.identities import EmailUse
from common.domain.resources import USERS
from common.domain.writes import EventOutcome, Refusal, SliceOutcome
from common.storage.keys import PostgresKeyStore
from common.storage.usage import PostgresUsage

ADDRESS = "same@example.org"
THEIRS = an_entity("1", customer_id="globex")


def test_who_is_linked_to_a_record_is_looked_for_among_the_customers_own(storage):
    storage.delivery.record("globex", SliceOutcome(links=(a_link(THEIRS),)), NOW)

    assert storage.delivery.links_to("acme", USERS, ["d1"]) == []
    assert [link.entity for link in storage.delivery.links_to("globex", USERS, ["d1"])] == [THEIRS]


def test_whose_an_address_is_is_looked_for_among_the_customers_own(storage):
    storage.delivery.record("globex", SliceOutcome(emails=(EmailUse(entity=THEIRS, email=ADDRESS),)), NOW)

    assert storage.delivery.email_owners("acme", [ADDRESS]) == {}
    assert storage.delivery.email_owners("globex", [ADDRESS]) == {ADDRESS: THEIRS}


def test_dead_letters_are_counted_by_customer(storage):
    storage.detect(a_record("1"), customer_id="globex")
    (event,) = storage.due(customer_id="globex")
    refusal = Refusal(reason="http_422", message="refused")
    dead = EventOutcome(event_id=event.event_id, state=EventState.DEAD_LETTERED, refusal=refusal)
    storage.delivery.record("globex", SliceOutcome(events=(dead,)), NOW)

    assert (storage.delivery.open_dead_letters("acme"), storage.delivery.open_dead_letters("globex")) == (0, 1)


def test_what_a_page_of_one_customer_shows_was_not_seen_of_another(storage):
    storage.detect(a_record("1"), customer_id="globex", run_id="theirs")
    progress = storage.start("run1").progress
    storage.detection.save_page(a_page(progress, a_record("1")), progress)

    assert storage.detection.seen_in_scan("globex", USERS, progress.scan_id) == 0
    assert storage.detection.seen_in_scan("acme", USERS, progress.scan_id) == 1


def test_an_address_is_claimed_by_the_first_who_creates_somebody_with_it(storage):
    storage.delivery.begin([an_intent("w1", email=ADDRESS)])

    with pytest.raises(LockLost):
        storage.delivery.begin([an_intent("w2", entity=an_entity("2"), event_id=2, email=ADDRESS)])

    storage.delivery.begin([an_intent("w3", entity=THEIRS, event_id=3, email=ADDRESS)])
    assert set(storage.delivery.unresolved([an_entity("1"), an_entity("2"), THEIRS])) == {an_entity("1"), THEIRS}


@pytest.mark.parametrize("storage", ["postgres"], indirect=True)
def test_a_budget_is_used_for_the_first_time_once(storage, engine):
    usage = PostgresUsage(engine, ManualClock())

    assert [usage.is_first("acme", "crm_plus") for _ in range(3)] == [True, False, False]
    assert (usage.is_first("acme", "volunteer"), usage.is_first("globex", "crm_plus")) == (True, True)


@pytest.mark.parametrize("storage", ["postgres"], indirect=True)
def test_of_two_data_keys_for_one_customer_the_first_is_kept(storage, engine):
    keys = PostgresKeyStore(engine)
    for customer_id, wrapped in (("acme", b"first"), ("acme", b"second"), ("globex", b"theirs")):
        keys.add_wrapped_key(customer_id, wrapped, "master", after(0))

    assert (keys.wrapped_key("acme"), keys.wrapped_key("globex")) == ((b"first", "master"), (b"theirs", "master"))
