"""`fleet credentials verify` on real servers: who is blocked, why, and how that ends."""

import pytest

from common.domain.breakers import BreakerPolicy
from common.domain.clock import SystemClock
from common.domain.customers import System
from common.storage.breakers import PostgresBreakers


@pytest.fixture
def breakers(engine):
    return PostgresBreakers(engine, BreakerPolicy(), lambda: 0.0)


@pytest.fixture
def blocked(added, breakers, redis):
    """A customer one of whose systems is blocked, with nothing on any queue."""

    def block(customer_id, system):
        access = added(customer_id)
        breakers.block(customer_id, system, f"customer {customer_id}: 401", SystemClock().now())
        redis.delete("poll.priority", f"events.{customer_id}")
        return access

    return block


def test_status_and_show_name_the_blocked_system_why_and_the_mend(fleet, blocked):
    blocked("acme", System.DESTINATION)

    standing = fleet("status", "acme", "--json").data["customers"][0]
    (trouble,) = standing["troubles"]
    assert standing["state"] == "active"
    assert (trouble["system"], trouble["state"], trouble["why"]) == ("destination", "blocked", "customer acme: 401")
    assert "fleet credentials verify acme destination" in trouble["mend"]
    assert fleet("customers", "show", "acme", "--json").data["troubles"] == [trouble]
    for command in (("status",), ("customers", "show", "acme")):
        assert "blocked: customer acme: 401" in " ".join(fleet(*command).out.split())


@pytest.mark.parametrize(("system", "queue"), [("source", "poll.priority"), ("destination", "events.acme")])
def test_a_token_that_is_accepted_unblocks_at_once(fleet, blocked, actions, breakers, redis, system, queue):
    blocked("acme", System(system))

    outcome = fleet("credentials", "verify", "acme", system, "--json")

    assert outcome.data["credentials"] == [
        {"customer_id": "acme", "system": system, "accepted": True, "unblocked": True, "said": "accepted"}
    ]
    assert breakers.of("acme") == {}
    assert redis.llen(queue) == 1
    assert actions("acme")[0] == "credentials.verified"


def test_a_token_that_is_refused_stays_blocked_and_is_a_failure(fleet, blocked, sandbox, breakers, redis):
    access = blocked("acme", System.SOURCE)
    sandbox.change_organization(access.name, volunteer_token_valid=False)

    outcome = fleet("credentials", "verify", "acme")

    assert outcome.code == 1
    assert outcome.err.startswith("error: acme: source: customer acme: volunteer: GET /users: 401")
    assert len(outcome.err.splitlines()) == 1
    assert breakers.of("acme")[System.SOURCE].state == "blocked"
    assert redis.llen("poll.priority") == 0


def test_all_that_are_blocked_are_tried_and_no_other(fleet, blocked, added, breakers, sandbox):
    blocked("acme", System.SOURCE)
    spoiled = blocked("globex", System.DESTINATION)
    added("initech")
    sandbox.change_organization(spoiled.name, crm_token_valid=False)

    outcome = fleet("credentials", "verify", "--all-blocked")

    assert outcome.code == 1
    assert "initech" not in outcome.out
    assert breakers.of("acme") == {}
    assert breakers.of("globex")[System.DESTINATION].state == "blocked"
    sandbox.change_organization(spoiled.name, crm_token_valid=True)
    assert fleet("credentials", "verify", "--all-blocked").code == 0
    assert fleet("credentials", "verify", "--all-blocked").out == "nothing is blocked\n"


@pytest.mark.parametrize("arguments", [(), ("acme", "--all-blocked")])
def test_it_wants_a_customer_or_all(fleet, arguments):
    outcome = fleet("credentials", "verify", *arguments)

    assert (outcome.code, outcome.err) == (2, "error: give either an ID or --all-blocked\n")


def test_a_new_token_that_is_verified_unblocks_and_an_unverified_one_does_not(
    fleet, blocked, breakers, redis, tmp_path
):
    access = blocked("acme", System.SOURCE)
    (tmp_path / "token").write_text(access.volunteer_token)
    give = ("customers", "token", "acme", "source", "--file", "token")

    unverified = fleet(*give, "--no-verify")
    assert "fleet credentials verify acme source" in unverified.err
    assert breakers.of("acme")[System.SOURCE].state == "blocked"
    assert fleet(*give).code == 0
    assert breakers.of("acme") == {}
    assert redis.llen("poll.priority") == 1


def test_resuming_lets_an_open_breaker_be_probed_at_once_and_leaves_a_blocked_one(fleet, blocked, breakers):
    blocked("acme", System.SOURCE)
    now = SystemClock().now()
    for _ in range(5):
        breakers.failed(breakers.admit("acme", System.DESTINATION, now), "503", now)

    fleet("customers", "resume", "acme")

    assert breakers.of("acme")[System.SOURCE].state == "blocked"
    assert breakers.admit("acme", System.DESTINATION, SystemClock().now()).probe is not None
