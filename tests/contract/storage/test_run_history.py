"""What is told of runs that were, from PostgreSQL: the tally is the database's own work, and has no twin."""

from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import insert, text, update
from sqlalchemy.event import listen, remove
from support.builders import NOW, a_broken_record, a_record, after

from common.domain.events import EventState, Origin
from common.domain.layers import Layer
from common.domain.resources import GROUPS, USERS
from common.domain.run_history import REASONS, FailedEvent, ReasonCount, RunFilter
from common.domain.runs import RunState
from common.storage.run_history import PostgresRunHistory
from common.storage.tables import events, runs

pytestmark = pytest.mark.parametrize("storage", ["postgres"], indirect=True)


@pytest.fixture
def history(storage, engine):
    """After `storage`, which adds the customers."""
    return PostgresRunHistory(engine)


@pytest.fixture
def end_event(engine):
    """As a processor would."""

    def end(source_id, state, reason=""):
        own = (events.c.source_id == source_id, events.c.customer_id == "acme")
        with engine.begin() as connection:
            assert connection.execute(update(events).where(*own).values(state=state, reason=reason)).rowcount == 1

    return end


def ids(found):
    return [report.run_id for report in found]


def shown(history, run_id):
    (report,) = history.find(run_id)
    return history.show(report)


def test_the_latest_runs_of_a_customer_come_first_and_nobody_elses(storage, history):
    for number in (1, 2, 3):
        storage.detect(run_id=f"run{number}", now=after(number))
    storage.detect(run_id="other", customer_id="globex", now=after(9))

    assert ids(history.list(RunFilter(customer_id="acme", limit=2))) == ["run3", "run2"]


def test_the_latest_runs_of_all_customers_are_in_one_order(storage, history):
    storage.detect(run_id="run1", now=after(1))
    storage.detect(run_id="other", customer_id="globex", now=after(2))
    storage.detect(run_id="run3", now=after(3))

    assert ids(history.list(RunFilter())) == ["run3", "other", "run1"]
    assert ids(history.list(RunFilter(limit=2))) == ["run3", "other"]


@pytest.mark.parametrize("customer_id", ["acme", None])
def test_each_filter_leaves_out_what_it_does_not_name(storage, history, customer_id):
    storage.detection.start_run(customer_id="acme", resource=GROUPS, run_id="groups", trace_id="t", now=NOW)
    storage.detection.start_run(
        customer_id="acme", resource=USERS, run_id="daily", trace_id="t", now=after(1), layer=Layer.RECONCILIATION
    )
    storage.start("failed", now=after(2))
    storage.finish("failed", state=RunState.FAILED, error="no pages")

    def found(**wanted):
        return ids(history.list(RunFilter(customer_id=customer_id, **wanted)))

    assert found(resource=GROUPS) == ["groups"]
    assert found(origin=Origin.RECONCILIATION) == ["daily"]
    assert found(state=RunState.FAILED) == ["failed"]
    assert found(since=after(1)) == ["failed", "daily"]


def test_a_run_is_found_by_the_beginning_of_its_id(storage, history):
    for run_id in ("4f-1a", "4f-2", "5"):
        storage.detect(run_id=run_id)

    assert ids(history.find("4f-1")) == ["4f-1a"]
    assert ids(history.find("4f")) == ["4f-1a", "4f-2"]
    assert ids(history.find("6")) == []


def test_an_id_that_another_begins_with_is_itself(storage, history):
    storage.detect(run_id="4f")
    storage.detect(run_id="4f0")

    assert ids(history.find("4f")) == ["4f"]


def test_signs_that_stand_for_others_in_a_pattern_are_none_in_an_id(storage, history):
    storage.detect(run_id="4f")

    assert [ids(history.find(each)) for each in ("%", "_f", "4%")] == [[], [], []]


def test_of_one_customer_only_its_own_runs_are_found(storage, history):
    storage.detect(run_id="4f1")
    storage.detect(run_id="4f2", customer_id="globex")

    assert ids(history.find("4f", "globex")) == ["4f2"]


def test_a_runs_events_are_counted_by_what_became_of_them(storage, history, end_event):
    storage.detect(*map(a_record, "12345"), broken=[a_broken_record("6")])
    storage.detect(a_record("7"), run_id="run2")
    end_event("1", EventState.APPLIED)
    end_event("2", EventState.UNCHANGED, "as it was there")
    end_event("3", EventState.SKIPPED, "inactive")
    end_event("4", EventState.SUBMITTED)

    outcome = shown(history, "run1").outcome

    assert {state: count for state, count in outcome.events.items() if count} == {
        EventState.PENDING: 1, EventState.SUBMITTED: 1, EventState.APPLIED: 1, EventState.UNCHANGED: 1,
        EventState.SKIPPED: 1, EventState.DEAD_LETTERED: 1,
    }  # fmt: skip
    assert set(outcome.events) == set(EventState)
    assert outcome.total == shown(history, "run1").report.counts.detected == 6


def test_reasons_are_counted_without_the_ids_in_them_the_most_frequent_first(storage, history, end_event):
    storage.detect(*map(a_record, "123456"))
    end_event("1", EventState.SUPERSEDED, "by version 5 (event 101)")
    end_event("2", EventState.SUPERSEDED, "by version 6 (event 102)")
    end_event("3", EventState.SUPERSEDED, "by version 17 (event 9)")
    end_event("4", EventState.PENDING, "waits for projects/17, to be applied")
    end_event("5", EventState.PENDING, "waits for projects/8:9, to be applied")
    end_event("6", EventState.PENDING, "http_503")

    assert shown(history, "run1").outcome.reasons == [
        ReasonCount(state="superseded", reason="by version ... (event ...)", events=3),
        ReasonCount(state="pending", reason="waits for projects/..., to be applied", events=2),
        ReasonCount(state="pending", reason="http_503", events=1),
    ]


def test_only_so_many_reasons_are_told_and_no_event_is_left_out_of_the_sum(storage, history, end_event):
    letters = "abcdefghijklmnop"
    storage.detect(*map(a_record, letters))
    for letter in letters:
        end_event(letter, EventState.SKIPPED, f"because of {letter}")

    outcome = shown(history, "run1").outcome

    assert len(outcome.reasons) == REASONS
    assert outcome.events[EventState.SKIPPED] == len(letters)


def test_failures_are_those_that_still_wait_for_a_person(storage, history, end_event, engine):
    storage.detect(a_record("1"), broken=[a_broken_record("6"), a_broken_record("7")])
    storage.detect(broken=[a_broken_record("8")], run_id="run2")
    with engine.begin() as connection:
        connection.execute(text("UPDATE dead_letters SET state = 'discarded' WHERE source_id = '7'"))
    end_event("7", EventState.DISCARDED)

    (failure,) = shown(history, "run1").outcome.failures

    assert failure == FailedEvent(
        dead_letter_id=failure.dead_letter_id, resource=USERS, source_id="6", stage="detect", reason="record_invalid",
        field="last_name",
    )  # fmt: skip


def test_a_run_of_a_hundred_thousand_events_comes_back_as_a_few_rows(storage, history, engine):
    storage.detect(run_id="great")
    with engine.begin() as connection:
        connection.execute(text(MANY), {"run": "great", "events": 100_000})

    with statements_of(engine) as statements:
        outcome = shown(history, "great").outcome

    assert outcome.events[EventState.SUPERSEDED] == outcome.total == 100_000
    assert outcome.reasons == [ReasonCount(state="superseded", reason="by version ... (event ...)", events=100_000)]
    assert len(statements) <= 4
    assert sum(statement.rows for statement in statements) <= len(EventState) + REASONS + 2


def test_one_run_is_counted_without_reading_the_events_of_others(storage, history, engine):
    storage.detect(a_record("small"), run_id="small")
    with engine.begin() as connection:
        connection.execute(text(MANY), {"run": "great", "events": 20_000})

    with statements_of(engine) as statements:
        shown(history, "small")

    assert [plan for plan in plans(engine, statements, "events") if "Seq Scan on events" in plan] == []


def test_a_run_is_found_without_reading_the_runs_of_all(storage, history, engine):
    same = {"resource": USERS, "origin": "poll", "trace_id": "t", "state": "completed"}
    rows = [{"customer_id": "acme", "run_id": f"{n:032x}", "started_at": after(n), **same} for n in range(20_000)]
    with engine.begin() as connection:
        connection.execute(insert(runs), rows)

    with statements_of(engine) as statements:
        assert ids(history.find(rows[-1]["run_id"])) == [rows[-1]["run_id"]]
        assert ids(history.list(RunFilter(limit=1))) == [rows[-1]["run_id"]]

    assert [plan for plan in plans(engine, statements, "runs") if "Seq Scan on runs" in plan] == []


MANY = """
    INSERT INTO events (customer_id, resource, source_id, version, partition, action, event_version, payload, origin,
                        run_id, trace_id, state, reason, occurred_at, detected_at, retry_at)
    SELECT 'acme', 'users', n::text, 1, 0, 'upsert', 1, '{}', 'poll', :run, 't', 'superseded',
           'by version ' || n || ' (event ' || n || ')', now(), now(), now()
    FROM generate_series(1, CAST(:events AS int)) AS n
"""


@dataclass(frozen=True)
class Statement:
    sql: str
    values: Any
    rows: int


@contextmanager
def statements_of(engine):
    """What is asked inside the block, with how many rows come back."""
    found = []

    def note(_connection, cursor, sql, values, *_):
        found.append(Statement(sql, values, cursor.rowcount))

    listen(engine, "after_cursor_execute", note)
    yield found
    remove(engine, "after_cursor_execute", note)


def plans(engine, statements, table):
    """How each of them is done once the statistics are there."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"ANALYZE {table}"))
        for each in statements:
            yield str(connection.exec_driver_sql(f"EXPLAIN {each.sql}", each.values).all())
