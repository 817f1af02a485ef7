from datetime import datetime, timedelta

import pytest

from common.cli.options import operator

UNREACHABLE_REDIS = "redis://:hunter2@127.0.0.1:1/0"


@pytest.fixture
def held_to(redis):
    """What requests are held to now."""
    return lambda: {field.decode(): float(value) for field, value in redis.hgetall("throttles").items()}


def test_a_throttle_is_kept_with_who_and_why_and_is_told_at_once(fleet, added, held_to):
    added("acme")
    said = fleet("throttle", "volunteer", "50%", "--why", "their request", "--json").data
    fleet("throttle", "volunteer", "10%", "--lane", "background")

    listed = fleet("throttle", "--json").data["throttles"]

    assert said["told"] is True
    assert listed[0] == said["throttle"]
    assert {key: listed[0][key] for key in ("system", "lane", "fraction", "reason", "actor")} == {
        "system": "volunteer", "lane": None, "fraction": 0.5, "reason": "their request", "actor": operator(),
    }  # fmt: skip
    assert datetime.fromisoformat(listed[0]["set_at"]).utcoffset() == timedelta(0)
    assert held_to() == {"volunteer:": 0.5, "volunteer:background": 0.1}


@pytest.mark.parametrize("end", ["off", "100%"])
def test_a_lifted_throttle_holds_nobody_and_says_who_lifted_it(fleet, added, held_to, end):
    added("acme")
    fleet("throttle", "crm_plus", "0%")
    stopped = held_to()
    lifted = fleet("throttle", "crm_plus", end)

    assert stopped == {"crm_plus:": 0.0}
    assert held_to() == {"crm_plus:": 1.0}
    assert lifted.out == "crm_plus, all customers: no throttle\n"
    assert operator() in fleet("throttle", "crm_plus").out


def test_people_read_parts_in_percent(fleet, added):
    added("acme")

    assert fleet("throttle").out == "nothing is throttled\n"
    assert fleet("throttle", "volunteer", "12.5%").out == "volunteer, all customers: 12.5% of the limit\n"
    assert "12.5%" in fleet("throttle").out


def test_a_system_that_no_customer_uses_is_refused_and_nothing_changes(fleet, added, held_to):
    added("acme")

    outcome = fleet("throttle", "volunter", "50%")

    assert outcome.code == 1
    assert outcome.err == (
        "error: no customer uses a system 'volunter', did you mean volunteer?; in use: crm_plus, volunteer\n"
    )
    assert held_to() == {}


def test_without_redis_the_word_is_kept_and_told_later(fleet, added, monkeypatch):
    added("acme")
    monkeypatch.setenv("FLEET_BROKER_URL", UNREACHABLE_REDIS)

    outcome = fleet("throttle", "volunteer", "50%", "--json")

    assert outcome.data["told"] is False
    assert "the sweep tells the workers" in outcome.err
    assert fleet("throttle", "--json").data["throttles"][0]["fraction"] == 0.5
