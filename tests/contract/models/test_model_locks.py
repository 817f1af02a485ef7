"""Partition claims as a machine: several processes, sessions that end behind their backs, a server that restarts.

The model is a list of claims, each with the session it was taken on. It says: at most one claim of a name is good; a
claim is good as long as its session lives and it was not given back; who asks for a free name on a sound session gets
it. What the process itself believes plays no part, which is the point: a zombie believes that it owns.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule
from sqlalchemy import text
from support.effort import try_out
from support.waiting import wait_until

from common.domain.errors import LockLost
from common.storage.locks import AdvisoryLocks
from common.storage.memory.locks import LockServer, MemoryLocks

PROCESSES = 3
processes = st.integers(0, PROCESSES - 1)
names = st.sampled_from(("partition/acme/0", "partition/acme/1"))


@dataclass(frozen=True)
class Fleet:
    """One `Locks` each, and how the session of one is ended from outside."""

    locks: list[Any]
    end_session: Callable[[int], None]
    close: Callable[[], None]


@dataclass(eq=False)
class Claim:
    """What somebody was given, and, as the model has it, whether it is good."""

    process: int
    name: str
    held: Any
    stack: ExitStack
    is_good: bool = True

    def verifies(self) -> bool:
        try:
            self.held.verify()
        except LockLost:
            return False
        return True


class Claims(RuleBasedStateMachine):
    claims = Bundle("claims")

    def __init__(self, start: Callable[[], Fleet]) -> None:
        super().__init__()
        self.fleet = start()
        self.all: list[Claim] = []
        #: Processes whose session has ended, and that may not have noticed.
        self.shaken: set[int] = set()

    @rule(target=claims, process=processes, name=names)
    def take(self, process: int, name: str) -> Claim:
        stack = ExitStack()
        held = stack.enter_context(self.fleet.locks[process].try_hold(name))
        claim = Claim(process, name, held, stack, is_good=held is not None)
        owner = self.owner(name)
        if held is not None:
            assert owner is None, f"process {process} got {name}, which process {owner.process} owns"
            self.shaken.discard(process)
        else:
            # Who has not noticed yet that its session is gone may be refused once, and has noticed by that.
            assert owner is not None or process in self.shaken, f"{name} is free, and was refused"
        self.all.append(claim)
        return claim

    @rule(claim=consumes(claims))
    def give_back(self, claim: Claim) -> None:
        claim.is_good = False
        claim.stack.close()

    @rule(claim=claims)
    def ask_before_a_write(self, claim: Claim) -> None:
        if claim.held is not None:
            assert claim.verifies() == claim.is_good, f"process {claim.process} was told otherwise of {claim.name}"

    @rule(process=processes)
    def a_session_is_lost(self, process: int) -> None:
        self.fleet.end_session(process)
        self._lose(process)

    @precondition(lambda self: any(claim.is_good for claim in self.all))
    @rule()
    def the_server_restarts(self) -> None:
        for process in range(PROCESSES):
            self.fleet.end_session(process)
            self._lose(process)

    @rule(process=processes)
    def a_process_stops(self, process: int) -> None:
        self.fleet.locks[process].close()
        self._lose(process)

    def _lose(self, process: int) -> None:
        self.shaken.add(process)
        for claim in self.all:
            claim.is_good = claim.is_good and claim.process != process

    def owner(self, name: str) -> Claim | None:
        return next((claim for claim in self.all if claim.is_good and claim.name == name), None)

    @invariant()
    def at_most_one_may_write(self) -> None:
        for name, own in itertools.groupby(sorted(self.all, key=lambda claim: claim.name), lambda claim: claim.name):
            assert sum(claim.is_good for claim in own) <= 1, name

    def teardown(self) -> None:
        """Register and lock agree: at the end everybody's own word is asked for, and all is free once given back."""
        try:
            told = [claim.verifies() for claim in self.all if claim.held is not None]
            assert told == [claim.is_good for claim in self.all if claim.held is not None]
            for claim in self.all:
                claim.stack.close()
            for locks, name in itertools.product(self.fleet.locks, ("partition/acme/0", "partition/acme/1")):
                with locks.try_hold(name) as first:
                    pass
                with locks.try_hold(name) as second:
                    assert first is not None or second is not None, f"{name} stays taken, by nobody"
        finally:
            self.fleet.close()


@pytest.fixture(params=["memory", "postgres"])
def start(request: pytest.FixtureRequest) -> Iterator[Callable[[], Fleet]]:
    if request.param == "memory":
        yield in_memory
        return
    url, engine = request.getfixturevalue("servers").database_url, request.getfixturevalue("engine")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as watcher:
        yield lambda: on_postgres(url, watcher)


def in_memory() -> Fleet:
    server = LockServer()
    locks = [MemoryLocks(server) for _ in range(PROCESSES)]
    return Fleet(locks, lambda process: locks[process].disconnect(), lambda: None)


def on_postgres(url: str, watcher: Any) -> Fleet:
    locks = [AdvisoryLocks(url, application_name=f"model-{number}") for number in range(PROCESSES)]

    def end_session(process: int) -> None:
        mine = f"FROM pg_stat_activity WHERE application_name = 'syncfleet model-{process} locks'"
        watcher.execute(text(f"SELECT pg_terminate_backend(pid) {mine}"))
        wait_until(lambda: not watcher.execute(text(f"SELECT 1 {mine}")).all(), seconds=30, what="the session's end")

    def close() -> None:
        for process, each in enumerate(locks):
            each.close()
            end_session(process)

    return Fleet(locks, end_session, close)


def test_of_several_processes_at_most_one_owns_a_partition_whatever_becomes_of_their_sessions(start):
    try_out(lambda: Claims(start), examples=25)
