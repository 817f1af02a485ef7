"""One customer's client: budget first, one deadline, reads twice, and nothing of the token anywhere."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.clients import an_api, pretended

from common.domain.clock import ManualClock
from common.domain.errors import BudgetExhausted, RateLimited, RecordRefused, SystemUnavailable, UnknownOutcome
from common.domain.limits import BudgetPolicy
from common.http.client import LARGEST_BODY_BYTES, make_transport
from common.limits.memory import MemoryBudget

BASE = "https://api.example/v1"


class World:
    """Answers or failures in order; the last one for ever."""

    def __init__(self, *outcomes):
        self.outcomes = list(outcomes)
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def api(self, **changes):
        return an_api(BASE, "s3cret", transport=pretended(self), **changes)


def ok(**more):
    return httpx.Response(200, json={"ok": True}, **more)


def test_the_token_goes_with_the_request_and_only_there():
    world = World(ok())
    api = world.api()
    api.read("/users")

    assert world.requests[0].headers["authorization"] == "Bearer s3cret"
    assert "s3cret" not in repr(api)
    assert "s3cret" not in str(vars(api))


@pytest.mark.parametrize("failure", [httpx.ReadError("x"), httpx.ConnectError("x"), httpx.RemoteProtocolError("x")])
def test_a_read_without_an_answer_is_tried_once_more(failure):
    world = World(failure, ok())

    assert world.api().read("/users").json() == {"ok": True}
    assert len(world.requests) == 2


def test_a_read_is_given_up_after_two_tries():
    world = World(httpx.ReadTimeout("x"))

    with pytest.raises(UnknownOutcome):
        world.api().read("/users")
    assert len(world.requests) == 2


@pytest.mark.parametrize("status", [429, 401, 500, 404])
def test_an_answer_is_never_asked_for_twice(status):
    world = World(httpx.Response(status))

    with pytest.raises(Exception, match=str(status)):
        world.api().read("/users")
    assert len(world.requests) == 1


def test_a_write_is_sent_once_whatever_happens():
    world = World(httpx.ReadError("x"))

    with pytest.raises(UnknownOutcome):
        world.api().send("POST", "/contacts", body={})
    assert len(world.requests) == 1


def test_an_accepted_status_is_an_answer():
    world = World(httpx.Response(404))

    assert world.api().read("/users/1", accept=(404,)).status == 404
    with pytest.raises(RecordRefused):
        world.api().read("/users/1")


def test_nothing_is_sent_without_budget_and_each_try_takes_from_it():
    clock, world = ManualClock(), World(httpx.ReadError("x"), ok())
    policy = BudgetPolicy(system="volunteer", limit=2, window_seconds=60)
    api = world.api(clock=clock, budget=MemoryBudget(clock), policy=policy)
    api.read("/users")

    with pytest.raises(BudgetExhausted):
        api.read("/users")
    assert len(world.requests) == 2


def test_limits_told_by_answers_are_learned_from_errors_too():
    clock, world = ManualClock(), World(httpx.Response(500, headers={"X-RateLimit-Limit": "5"}))
    policy = BudgetPolicy(system="crm_plus", limit=100, window_seconds=60)
    api = world.api(clock=clock, budget=MemoryBudget(clock), policy=policy)
    for _ in range(4):
        with pytest.raises(SystemUnavailable):
            api.read("/x")

    with pytest.raises(BudgetExhausted):
        api.read("/x")


@given(st.text(min_size=1, max_size=20))
def test_a_name_in_a_route_never_leaves_its_place(name):
    world = World(ok())
    world.api().read("/contact/{id}/notes", names={"id": name.encode("utf-8", "replace").decode()})

    raw = world.requests[0].url.raw_path
    assert raw.startswith(b"/v1/contact/")
    assert raw.endswith(b"/notes")
    assert raw.count(b"/") == 4


def test_an_answer_that_trickles_past_the_deadline_is_an_unknown_outcome():
    clock = ManualClock()

    def trickle():
        for _ in range(10):
            clock.advance(1)
            yield b" "

    world = World(httpx.Response(200, content=trickle()))

    with pytest.raises(UnknownOutcome, match="5 s"):
        world.api(clock=clock, deadline_seconds=5.0).send("POST", "/contacts")


def test_an_answer_without_end_is_an_unknown_outcome():
    chunk = b" " * (1024 * 1024)
    world = World(httpx.Response(200, content=(chunk for _ in range(LARGEST_BODY_BYTES // len(chunk) + 2))))

    with pytest.raises(UnknownOutcome):
        world.api().send("GET", "/users")


def test_the_products_own_connections_follow_no_redirect_and_heed_no_setting_of_the_machine():
    with make_transport(5.0) as transport:
        assert (transport.follow_redirects, transport.trust_env) == (False, False)


def test_a_redirect_is_not_followed():
    world = World(httpx.Response(302, headers={"Location": "https://evil.example/"}))

    with pytest.raises(SystemUnavailable):
        world.api().read("/users")
    assert [request.url.host for request in world.requests] == ["api.example"]


@pytest.mark.parametrize(
    ("headers", "seconds"), [({"Retry-After": "600"}, 600), ({}, 60), ({"Retry-After": "9" * 9}, 86_400)]
)
def test_a_429_closes_the_budget_for_everybody_who_shares_it(headers, seconds):
    clock, world = ManualClock(), World(httpx.Response(429, headers=headers), ok())
    budget = MemoryBudget(clock)
    with pytest.raises(RateLimited):
        world.api(clock=clock, budget=budget).send("POST", "/contacts", body={})
    another = world.api(clock=clock, budget=budget)
    clock.advance(seconds - 1)

    with pytest.raises(BudgetExhausted):
        another.read("/users")
    clock.advance(2)
    assert another.read("/users").status == 200
    assert world.api(clock=clock, budget=budget, customer_id="globex").read("/users").status == 200
