"""What the benchmarks fill the fleet with is what the product would have put there."""

from __future__ import annotations

import base64
import json
from collections import Counter

import pytest
from benchmarks.fleet.accounts import MIX, customer_row, event_row, mixed_tier
from benchmarks.fleet.messages import Deliveries

from common.domain.people import Person
from common.storage.tables import customers, events

TEMPLATE = {
    "body": base64.b64encode(json.dumps([[], {"customer_id": "template"}, {"chain": None}]).encode()).decode(),
    "headers": {"task": "processor.deliver", "id": "1", "root_id": "1"},
    "properties": {
        "correlation_id": "1",
        "delivery_tag": "1",
        "delivery_info": {"exchange": "", "routing_key": "events.template"},
    },
}


@pytest.fixture
def deliveries():
    return Deliveries(redis=None, template=TEMPLATE)


def test_a_copied_delivery_differs_in_its_customer_and_its_ids_alone(deliveries):
    copy = json.loads(deliveries.copy("acme"))
    assert json.loads(base64.b64decode(copy["body"])) == [[], {"customer_id": "acme"}, {"chain": None}]
    assert copy["properties"]["delivery_info"] == {"exchange": "", "routing_key": "events.acme"}
    assert copy["headers"]["task"] == "processor.deliver"


def test_no_two_copies_share_an_id(deliveries):
    copies = [json.loads(deliveries.copy("acme")) for _ in range(3)]
    assert len({copy["properties"]["delivery_tag"] for copy in copies}) == 3
    assert len({copy["headers"]["id"] for copy in copies}) == 3


def test_any_hundred_customers_have_the_mix_of_tiers():
    assert Counter(map(mixed_tier, range(100))) == dict(MIX)
    assert Counter(map(mixed_tier, range(4_200, 4_300))) == dict(MIX)


def test_an_event_is_one_that_a_handler_understands():
    row = event_row("acme", 7)
    assert Person.from_body(row["payload"]).last_name == "Quonox 7"
    assert set(row) <= set(events.c.keys())


def test_every_column_of_a_customer_that_has_no_default_is_filled():
    needed = {each.name for each in customers.c if not each.nullable and each.server_default is None}
    assert needed <= set(customer_row("acme", mixed_tier(0)))
