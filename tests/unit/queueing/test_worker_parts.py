"""Small parts of a worker: what is built once, when it has gone quiet, and where a task called by name goes."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from common.domain.clock import ManualClock
from common.domain.customers import Lane
from common.queueing.celery_app import make_app, plain_queue
from common.queueing.names import CHECK_MAPPING, DELIVER, POLL, SWEEP, events_queue, poll_queue
from common.queueing.once import Once
from common.queueing.polls import Polls
from common.queueing.routing import route_by_customer
from common.queueing.tasks import declare_task
from common.queueing.watchdog import ANSWER_SECONDS, Watchdog, is_consuming


def test_many_threads_that_need_something_first_get_the_same_one_thing():
    start, got = threading.Barrier(8), []
    once = Once(object)

    def need():
        start.wait(10)
        got.append(once())

    threads = [threading.Thread(target=need) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(got) == 8
    assert len(set(map(id, got))) == 1


def test_nothing_is_built_before_it_is_needed():
    built = []
    once = Once(lambda: built.append(1))

    assert built == []
    once()
    once()
    assert built == [1]


def test_a_build_that_failed_is_tried_again():
    outcomes = [ValueError("not yet"), "built"]

    def build():
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    once = Once(build)

    with pytest.raises(ValueError, match="not yet"):
        once()
    assert once() == "built"


class Toothless(Watchdog):
    """Does not start the thread that would end this process."""

    def _watch(self):
        return


def test_a_worker_that_was_never_fed_is_not_quiet():
    clock = ManualClock()
    dog = Toothless(clock)
    clock.advance(1e6)

    assert not dog.is_quiet()


def test_a_worker_is_quiet_when_the_feeding_stops_and_not_before():
    clock = ManualClock()
    dog = Toothless(clock, quiet_seconds=90)
    dog.alive()
    clock.advance(90)
    before = dog.is_quiet()
    clock.advance(1)

    assert (before, dog.is_quiet()) == (False, True)
    dog.alive()
    assert not dog.is_quiet()


LANES = {"acme": Lane.PRIORITY, "globex": Lane.BACKGROUND}


@pytest.mark.parametrize(
    ("task", "customer_id", "queue"),
    [
        (POLL, "acme", "poll.priority"), (POLL, "globex", "poll.background"),
        (DELIVER, "acme", "events.acme"), (DELIVER, "globex", "events.globex"),
        (CHECK_MAPPING, "acme", "events.acme"),
    ],
)  # fmt: skip
def test_a_task_that_names_a_customer_goes_to_that_customers_queue(task, customer_id, queue):
    route = route_by_customer(LANES.__getitem__)

    assert route(task, (), {"customer_id": customer_id}, {})["queue"].name == queue


@pytest.mark.parametrize(
    ("task", "kwargs"),
    [(SWEEP, {}), (POLL, {}), (POLL, None), (POLL, {"customer_id": 7}), ("other", {"customer_id": "acme"})],
)
def test_any_other_task_goes_where_it_was_declared(task, kwargs):
    assert route_by_customer(LANES.__getitem__)(task, (), kwargs, {}) is None


def test_queues_are_named_for_customer_and_lane():
    assert (events_queue("acme"), poll_queue(Lane.PRIORITY)) == ("events.acme", "poll.priority")


class Channel:
    """What the watchdog looks at of a worker's channel."""

    def __init__(self, *, silent_seconds, busy=False):
        self.qos = self
        self.answered_at = time.monotonic() - silent_seconds
        self._busy = busy

    def can_consume(self):
        return not self._busy


@pytest.mark.parametrize(
    ("silent_seconds", "busy", "consuming"),
    [(1, False, True), (ANSWER_SECONDS + 1, False, False), (ANSWER_SECONDS + 1, True, True)],
)
def test_a_worker_that_redis_does_not_answer_is_not_fed_unless_all_its_slots_are_taken(silent_seconds, busy, consuming):
    assert is_consuming(Channel(silent_seconds=silent_seconds, busy=busy)) is consuming


@pytest.fixture
def task():
    """A task as the product declares it, and what its work was called with."""
    calls = []

    def work(customer_id: str, layer: str = "poll") -> None:
        calls.append((customer_id, layer))

    app = make_app("t", "redis://127.0.0.1:1/0", log_format="text", log_level="ERROR")
    declare_task(app, "t.work", work)
    yield app.tasks["t.work"], calls
    app.close()


def test_a_message_with_the_right_arguments_is_worked_on(task):
    run, calls = task
    run(customer_id="acme")
    run(customer_id="acme", layer="nightly")

    assert calls == [("acme", "poll"), ("acme", "nightly")]


@pytest.mark.parametrize("arguments", [{"customer": "acme"}, {"customer_id": "a", "more": 1}, {}])
def test_a_message_that_does_not_fit_is_refused_with_one_line(task, arguments):
    run, calls = task
    with capture_logs() as lines:
        run(**arguments)

    assert calls == []
    assert [line["event"] for line in lines] == ["message refused"]


def test_a_message_is_acknowledged_once_it_was_worked_on_and_not_as_it_is_taken(task):
    run, _ = task

    assert (run.acks_late, run.app.conf.task_acks_late) == (True, True)


def test_a_message_that_does_not_fit_tells_the_names_of_its_arguments_at_most(task):
    run, _ = task
    with capture_logs() as lines:
        run(customer_id="acme", token="s3cret-token")

    assert "s3cret-token" not in str(lines)


@pytest.mark.parametrize("seconds", [12.0, None])
def test_a_poll_that_nobody_takes_in_time_is_dropped(seconds):
    app = make_app("t", "memory://", log_format="text", log_level="ERROR")
    Polls(app).publish("acme", Lane.STANDARD, expires_seconds=seconds)
    with app.connection_for_read() as connection:
        message = connection.SimpleQueue(plain_queue(poll_queue(Lane.STANDARD))).get_nowait()
    app.close()

    left = None
    if message.headers["expires"] is not None:
        left = (datetime.fromisoformat(message.headers["expires"]) - datetime.now(UTC)).total_seconds()
    assert left is None if seconds is None else 0 < left <= seconds


def test_a_message_with_arguments_by_position_is_refused(task):
    run, calls = task
    run("acme")

    assert calls == []
