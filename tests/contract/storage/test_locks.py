"""Exclusive ownership between processes; two instances stand for two processes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Engine, text
from support.waiting import wait_until

from common.domain.errors import LockLost
from common.storage.locks import AdvisoryLocks
from common.storage.memory.locks import LockServer, MemoryLocks

#: Every lock session of these tests, as pg_stat_activity names it.
SESSIONS = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'syncfleet contract-%' "


@dataclass
class Processes:
    """Two processes, and how the first one's connection is broken from outside."""

    first: Any
    second: Any
    break_first: Callable[[], None]


@pytest.fixture(params=["memory", "postgres"])
def processes(request: pytest.FixtureRequest) -> Iterator[Processes]:
    if request.param == "memory":
        server = LockServer()
        first = MemoryLocks(server)
        yield Processes(first, MemoryLocks(server), first.disconnect)
        return
    servers, engine = request.getfixturevalue("servers"), request.getfixturevalue("engine")
    first = AdvisoryLocks(servers.database_url, application_name="contract-first")
    second = AdvisoryLocks(servers.database_url, application_name="contract-second")
    yield Processes(first, second, lambda: terminate_first(engine))
    first.close()
    second.close()


def terminate_first(engine: Engine) -> None:
    mine = SESSIONS + "AND application_name LIKE '%first%'"
    with engine.connect() as connection:
        connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM ({mine}) AS mine"))

    def gone() -> bool:
        with engine.connect() as connection:
            return not connection.execute(text(mine)).all()

    wait_until(gone, seconds=5, what="the first process's session to end")


def test_one_process_at_a_time_holds_a_name(processes):
    with processes.first.try_hold("x") as mine, processes.second.try_hold("x") as theirs:
        assert mine is not None
        assert theirs is None


def test_a_name_is_free_again_after_its_block(processes):
    with processes.first.try_hold("x"):
        pass

    with processes.second.try_hold("x") as held:
        assert held is not None


def test_a_name_is_free_again_after_an_error(processes):
    with pytest.raises(ZeroDivisionError), processes.first.try_hold("x"):
        raise ZeroDivisionError

    with processes.second.try_hold("x") as held:
        assert held is not None


def test_different_names_do_not_exclude_each_other(processes):
    with processes.first.try_hold("x") as one, processes.second.try_hold("y") as two:
        assert one is not None
        assert two is not None


def test_the_same_process_does_not_get_a_name_twice(processes):
    with processes.first.try_hold("x") as outer:
        with processes.first.try_hold("x") as inner:
            assert inner is None
        outer.verify()
        with processes.second.try_hold("x") as theirs:
            assert theirs is None


def test_of_many_threads_of_two_processes_one_gets_the_name(processes):
    winners, start, done = [], threading.Barrier(8), threading.Barrier(8)

    def compete(locks: Any) -> None:
        start.wait(10)
        with locks.try_hold("x") as held:
            if held is not None:
                winners.append(held)
            done.wait(10)

    threads = [threading.Thread(target=compete, args=(locks,)) for locks in [processes.first, processes.second] * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert len(winners) == 1


def test_a_lock_that_is_held_verifies(processes):
    with processes.first.try_hold("x") as held:
        held.verify()
        assert held.name == "x"


def test_a_lock_is_lost_with_its_connection_and_free_for_others(processes):
    with processes.first.try_hold("x") as held:
        processes.break_first()

        with pytest.raises(LockLost):
            held.verify()
        with processes.second.try_hold("x") as theirs:
            assert theirs is not None
            with pytest.raises(LockLost):
                held.verify()
            theirs.verify()


def test_a_process_that_noticed_a_lost_connection_can_lock_again_and_the_old_hold_stays_lost(processes):
    with processes.first.try_hold("x") as old:
        processes.break_first()
        with pytest.raises(LockLost):
            old.verify()

        with processes.first.try_hold("x") as new:
            new.verify()
            with pytest.raises(LockLost):
                old.verify()


def test_leaving_the_block_of_a_lost_lock_does_not_free_the_new_owners(processes):
    with processes.first.try_hold("x") as lost:
        processes.break_first()
        with pytest.raises(LockLost):
            lost.verify()
        stack = ExitStack()
        new = stack.enter_context(processes.first.try_hold("x"))
        assert new is not None

    new.verify()
    with stack, processes.second.try_hold("x") as theirs:
        assert theirs is None


def test_closing_a_process_frees_what_it_held(processes):
    with processes.first.try_hold("x"):
        processes.first.close()
        with processes.second.try_hold("x") as theirs:
            assert theirs is not None
