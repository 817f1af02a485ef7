"""A slot that outlasts its work is found, on real locks; one whose work runs, or has just ended, is not."""

from __future__ import annotations

import pytest
from soak.slots import Slots, owners_of

from common.queueing.names import DELIVER, POLL
from common.storage.locks import AdvisoryLocks

PARTITIONS = 4


@pytest.fixture
def locks(servers):
    made = AdvisoryLocks(servers.database_url, application_name="test")
    yield made
    made.close()


@pytest.fixture
def look(engine):
    """What a sample shows while the workers say that they do this, one answer a look, the last one again and again."""

    def sample(*answers, pause=lambda _: None):
        said = list(answers)
        slots = Slots(
            engine=engine,
            owners=owners_of(["acme", "brook"], ["users"], PARTITIONS),
            running=lambda: said.pop(0) if len(said) > 1 else said[0],
            pause=pause,
        )
        return dict(slots.use_of())

    return sample


@pytest.mark.parametrize(
    ("name", "work"), [("partition/acme/3", (DELIVER, "acme")), ("run/acme/users", (POLL, "acme"))]
)
def test_a_held_slot_is_right_beside_its_own_work_only(locks, look, name, work):
    with locks.try_hold(name):
        assert look({work}) == {"slots held": 1, "slots without work": 0}
        assert look({(work[0], "brook")}) == {"slots held": 1, "slots without work": 1}
        assert look(set()) == {"slots held": 1, "slots without work": 1}


def test_a_slot_that_is_given_back_within_a_moment_is_none(locks, look):
    with locks.try_hold("partition/acme/0") as held:
        assert look(set(), pause=lambda _: locks._release(held)) == {"slots held": 1, "slots without work": 0}


def test_work_that_is_seen_late_is_work(locks, look):
    with locks.try_hold("partition/acme/0"):
        assert look(set(), {(DELIVER, "acme")})["slots without work"] == 0


def test_of_a_worker_that_is_silent_nothing_is_said(locks, look):
    with locks.try_hold("partition/acme/0"):
        assert look(None) == {"slots held": 1}


def test_locks_that_are_no_slots_do_not_count(locks, look):
    with locks.try_hold("beat"):
        assert look(set()) == {"slots held": 0, "slots without work": 0}
