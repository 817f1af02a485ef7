"""A batch and a kill: what was replayed is in PostgreSQL, or was not replayed; nothing is replayed twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, event, text
from support.builders import NOW, after

from common.domain.letters import LetterFilter
from common.storage.batches import PostgresBatches


class Killed(Exception):
    """In the place of the process's end."""


@pytest.fixture
def desk(postgres_desk):
    desk = postgres_desk
    desk.refuse(*"12345")
    numbers = [letter.dead_letter_id for letter in desk.letters.find(LetterFilter(), limit=10)]
    desk.start(*numbers, portion=2)
    return desk


def killed_at(engine: Engine, statement: int):
    """The process ends before its nth statement that writes."""
    seen = []

    def before(_connection, _cursor, sql, *_):
        if sql.lstrip().upper().startswith(("UPDATE", "INSERT")):
            seen.append(sql)
            if len(seen) == statement:
                raise Killed

    event.listen(engine, "before_cursor_execute", before)
    return before


def test_killed_before_any_of_its_writes_a_feeding_is_done_whole_by_the_next_and_never_twice(desk, engine):
    statement = 0
    while True:
        statement += 1
        listener = killed_at(engine, statement)
        try:
            fed = desk.batches.feed("acme", "again", after(0))
        except Killed:
            assert desk.event_states().count("pending") == 0, "what the killed one had done is undone"
            assert desk.counts() == {"waiting": 5}
            continue
        finally:
            event.remove(engine, "before_cursor_execute", listener)
        break

    assert statement > 5, "it was killed at each of its writes"
    assert fed.applied == 2
    assert desk.event_states().count("pending") == 2


def test_two_sweeps_at_a_time_feed_a_portion_once(desk, engine):
    with ThreadPoolExecutor(4) as threads:
        fed = list(threads.map(lambda _: PostgresBatches(engine).feed("acme", "again", NOW).applied, range(8)))

    assert sorted(fed)[-2:] == [0, 2]
    assert desk.event_states().count("pending") == 2


def test_over_many_kills_and_portions_each_letter_goes_to_work_exactly_once(desk, engine):
    """The trigger counts each time that an event is put back to work."""
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE put_back (event_id bigint)"))
        connection.execute(
            text(
                "CREATE FUNCTION note_put_back() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                "INSERT INTO put_back VALUES (NEW.event_id); RETURN NEW; END $$"
            )
        )
        connection.execute(
            text(
                "CREATE TRIGGER put_back AFTER UPDATE ON events FOR EACH ROW "
                "WHEN (OLD.state = 'dead_lettered' AND NEW.state = 'pending') EXECUTE FUNCTION note_put_back()"
            )
        )
    try:
        for minute in range(12):
            listener = killed_at(engine, 1 + minute % 4)
            try:
                desk.batches.feed("acme", "again", after(60 * minute))
            except Killed:
                pass
            finally:
                event.remove(engine, "before_cursor_execute", listener)
            desk.batches.feed("acme", "again", after(60 * minute + 30))
            desk.end(*"12345", now=after(60 * minute + 30))
        with engine.connect() as connection:
            noted = connection.execute(text("SELECT event_id FROM put_back")).scalars().all()
    finally:
        with engine.begin() as connection:
            connection.execute(text("DROP TRIGGER put_back ON events"))
            connection.execute(text("DROP FUNCTION note_put_back"))
            connection.execute(text("DROP TABLE put_back"))

    assert sorted(noted) == sorted(set(noted))
    assert len(noted) == 5
    assert desk.counts() == {"applied": 5}
    assert desk.batches.get("acme", "again").state == "completed"


def test_a_feeding_does_not_wait_for_a_letter_that_a_slice_is_closing_and_takes_it_up_at_its_next_turn(desk, engine):
    """They lock letters in orders of their own: if either waited for the other, both might."""
    closing = engine.connect()
    try:
        closing.execute(text("SELECT FROM dead_letters WHERE source_id = '2' FOR UPDATE"))
        with ThreadPoolExecutor(1) as threads:
            feeding = threads.submit(desk.batches.feed, "acme", "again", NOW)
            try:
                assert feeding.result(timeout=10).applied == 2
            finally:
                closing.rollback()
    finally:
        closing.close()
    fed = [item.source_id for item in desk.batches.items("acme", "again") if item.outcome == "on_the_way"]
    assert fed == ["1", "3"]

    desk.end("1", "3", now=NOW)
    desk.batches.feed("acme", "again", after(60))

    assert desk.counts() == {"applied": 2, "on_the_way": 2, "waiting": 1}


def test_a_batch_whose_last_letter_is_being_closed_is_not_over_before_that_is_decided(postgres_desk, engine):
    desk = postgres_desk
    desk.refuse("1")
    desk.start(*(letter.dead_letter_id for letter in desk.letters.find(LetterFilter(), limit=10)))
    with engine.connect() as closing:
        closing.execute(text("UPDATE dead_letters SET state = 'superseded' WHERE source_id = '1'"))
        with ThreadPoolExecutor(1) as threads:
            feeding = threads.submit(desk.batches.feed, "acme", "again", NOW)
            try:
                assert not feeding.result(timeout=10).is_completed
            finally:
                closing.commit()

    desk.batches.feed("acme", "again", after(60))

    assert desk.counts() == {"left_out": 1}
