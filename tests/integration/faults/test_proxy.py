"""The proxy does what it says, seen from both ends of its connections."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest
from support.faults.peers import Peer, running_peer
from support.faults.proxy import Proxy, running_proxy
from support.faults.routes import Route
from support.faults.ways import (
    BlackHole,
    HalfOpen,
    Latency,
    LostReply,
    Pass,
    Reach,
    Refuse,
    Reset,
    Side,
    Stall,
    Trickle,
)
from support.waiting import wait_until

#: Seconds without a byte that count as silence.
SILENT = 0.15


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    with running_proxy() as running:
        yield running


@pytest.fixture
def peer() -> Iterator[Peer]:
    with running_peer() as running:
        yield running


@pytest.fixture
def route(proxy: Proxy, peer: Peer) -> Route:
    return proxy.route(peer.port)


class Caller:
    def __init__(self, route: Route) -> None:
        self.socket = socket.create_connection(("127.0.0.1", route.port), timeout=10)

    def say(self, line: str) -> None:
        self.socket.sendall(f"{line}\n".encode())

    def hear(self) -> str:
        return self.socket.recv(100).decode().strip()

    def ask(self, line: str) -> str:
        self.say(line)
        return self.hear()

    @property
    def hears_nothing(self) -> bool:
        self.socket.settimeout(SILENT)
        try:
            return self.socket.recv(1) is None
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(10)


@pytest.fixture
def call(route: Route) -> Iterator:
    made = []

    def connect(to: Route = route) -> Caller:
        made.append(Caller(to))
        return made[-1]

    yield connect
    for each in made:
        each.socket.close()


def test_it_passes_both_ways_and_tells_of_an_end(call, peer):
    caller = call()
    assert [caller.ask("one"), caller.ask("two")] == ["ok one", "ok two"]

    caller.socket.close()
    wait_until(lambda: peer.ends == ["end"], seconds=10, what="the end")


def test_latency_delays_each_way_and_a_switch_ends_the_wait(call, route):
    caller = call()
    route.switch(Latency(seconds=0.1, jitter_seconds=0.05))
    started = time.monotonic()
    assert caller.ask("slow") == "ok slow"
    assert time.monotonic() - started >= 0.2

    route.switch(Latency(seconds=600))
    caller.say("late")
    assert caller.hears_nothing
    route.switch(Pass())
    assert caller.hear() == "ok late"


def test_a_trickle_carries_so_many_bytes_a_second(call, route):
    caller = call()
    route.switch(Trickle(bytes_per_second=2000))
    started = time.monotonic()
    caller.say("big 900")
    got = 0
    while got < 900:
        got += len(caller.socket.recv(1000))
    assert time.monotonic() - started >= 0.35


def test_a_reset_is_seen_by_both_sides_at_once(call, route, peer):
    caller = call()
    caller.ask("one")
    route.switch(Reset())

    with pytest.raises(ConnectionResetError):
        caller.hear()
    wait_until(lambda: peer.ends == ["reset"], seconds=10, what="the reset")
    with pytest.raises(ConnectionResetError):
        call().ask("new")
    route.switch(Pass())
    assert call().ask("again") == "ok again"


def test_a_switch_reaches_only_whom_it_is_for(call, route):
    old = call()
    old.ask("one")
    route.switch(BlackHole(), reach=Reach.NEW)
    new = call()
    new.say("new")

    assert old.ask("two") == "ok two"
    assert new.hears_nothing
    route.switch(Pass(), reach=Reach.NEW)
    route.switch(BlackHole(), reach=Reach.EXISTING)
    old.say("three")
    assert old.hears_nothing
    assert call().ask("newer") == "ok newer"


def test_a_black_hole_swallows_and_tells_nobody(call, route, peer):
    caller = call()
    caller.ask("one")
    route.switch(BlackHole())
    caller.say("two")
    assert caller.hears_nothing
    assert (peer.lines, route.tally.swallowed_bytes) == (["one"], 4)

    caller.socket.close()
    assert peer.ends == []
    route.switch(Pass())
    wait_until(lambda: peer.ends == ["reset"], seconds=10, what="the hole to be noticed")


def test_what_went_into_a_hole_is_not_followed_by_more(call, route, peer):
    caller = call()
    route.switch(BlackHole())
    caller.say("lost")
    wait_until(lambda: route.tally.swallowed_bytes, seconds=10, what="the bytes to be lost")
    route.switch(Pass())
    caller.say("after")

    with pytest.raises(ConnectionResetError):
        caller.hear()
    assert peer.lines == []


def test_upstream_gone_is_not_told_to_the_client_until_it_speaks(call, route, peer):
    caller = call()
    caller.ask("one")
    route.switch(HalfOpen(gone=Side.UPSTREAM))
    wait_until(lambda: peer.ends == ["reset"], seconds=10, what="upstream to be gone")
    assert caller.hears_nothing
    route.switch(Pass())
    assert caller.hears_nothing

    caller.say("anybody")
    with pytest.raises(ConnectionResetError):
        caller.hear()


def test_client_gone_leaves_upstream_with_an_open_session(call, route, peer):
    caller = call()
    caller.ask("one")
    route.switch(HalfOpen(gone=Side.CLIENT))

    with pytest.raises(ConnectionResetError):
        caller.hear()
    assert (peer.ends, route.open_links) == ([], 1)


def test_a_stall_loses_nothing_not_even_of_a_client_that_gave_up(call, route, peer):
    caller = call()
    caller.ask("one")
    route.switch(Stall())
    caller.say("late write")
    caller.socket.close()
    assert (peer.lines, peer.ends) == (["one"], [])

    route.switch(Pass())
    wait_until(lambda: "late write" in peer.lines and peer.ends, seconds=10, what="the late write")


def test_a_lost_reply_follows_a_request_that_went_through(call, route, peer):
    first, second = call(), call()
    route.switch(LostReply(match=b"commit", times=1))
    assert first.ask("begin") == "ok begin"
    with pytest.raises(ConnectionResetError):
        first.ask("commit 1")

    assert peer.lines == ["begin", "commit 1"]
    assert second.ask("commit 2") == "ok commit 2"
    assert (route.tally.lost_replies, route.tally.replies_to_lose) == (1, 0)


def test_a_lost_reply_may_leave_nothing_but_silence(call, route, peer):
    caller = call()
    route.switch(LostReply(is_silent=True))
    caller.say("commit")

    wait_until(lambda: route.tally.lost_replies, seconds=10, what="the reply to be lost")
    assert caller.hears_nothing
    assert peer.lines == ["commit"]


def test_the_reply_to_be_lost_may_be_a_later_one(call, route, peer):
    caller = call()
    route.switch(LostReply(match=b"commit", skip=2))
    assert [caller.ask("commit 1"), caller.ask("other"), caller.ask("commit 2")][-1] == "ok commit 2"

    with pytest.raises(ConnectionResetError):
        caller.ask("commit 3")
    assert peer.lines[-1] == "commit 3"


def test_a_request_cut_in_two_is_recognised(call, route):
    caller = call()
    route.switch(LostReply(match=b"commit"))
    caller.socket.sendall(b"com")
    wait_until(lambda: route.tally.carried_bytes == 3, seconds=10, what="the first half")
    with pytest.raises(ConnectionResetError):
        caller.ask("mit")


def test_refused_is_refused_by_the_kernel_and_the_port_is_kept(call, route):
    caller = call()
    caller.ask("one")
    route.switch(Refuse(), reach=Reach.NEW)
    with pytest.raises(ConnectionRefusedError):
        call()
    assert caller.ask("two") == "ok two"

    route.switch(Pass())
    assert call().ask("three") == "ok three"


def test_an_upstream_that_is_away_resets(proxy, call):
    with running_peer() as gone:
        port = gone.port
    with pytest.raises(ConnectionResetError):
        call(proxy.route(port)).ask("anybody")
