"""Letters that an operator discards while a slice closes them: neither waits for the other for ever."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import text
from support.builders import NOW, after
from support.waiting import wait_until

from common.domain.entities import EntityKey
from common.domain.letters import LetterFilter
from common.domain.writes import Link, SliceOutcome

WAITING = text("SELECT count(*) FROM pg_locks WHERE NOT granted")


def applied(*source_ids):
    """As a slice records it that has written a newer version of each, in this order."""
    links = [
        Link(
            entity=EntityKey(customer_id="acme", resource="users", source_id=source_id),
            destination_id=source_id,
            details={},
            applied_version=2,
            applied_hash="new",
        )
        for source_id in source_ids
    ]
    return SliceOutcome(links=tuple(links))


def waiting(engine):
    with engine.connect() as connection:
        return connection.execute(WAITING).scalar_one()


def test_a_discard_does_not_wait_for_letters_that_a_slice_is_closing_in_another_order(postgres_desk, engine):
    """The slice holds 3 and waits for 2; were the discard to hold 1 and wait for 3, the slice would want 1 next."""
    desk = postgres_desk
    desk.refuse("1", "2", "3")
    one, _, three = (letter.dead_letter_id for letter in desk.letters.find(LetterFilter(), limit=10))
    with engine.connect() as other, ThreadPoolExecutor(2) as threads:
        other.execute(text("SELECT FROM dead_letters WHERE source_id = '2' FOR UPDATE"))
        slice_ = threads.submit(desk.storage.delivery.record, "acme", applied("3", "2", "1"), after(1))
        wait_until(lambda: waiting(engine) == 1, seconds=20, what="the slice to wait for a letter")
        discard = threads.submit(desk.letters.discard, "acme", [one, three], why="x", actor="ada", now=NOW)
        wait_until(lambda: discard.done() or waiting(engine) == 2, seconds=20, what="the discard")
        other.rollback()
        done = discard.result(timeout=20)
        slice_.result(timeout=20)

    assert done == [one], "3 was being closed by somebody else"
    states = {letter.source_id: letter.state for letter in desk.letters.find(LetterFilter(state=None), limit=10)}
    assert states == {"1": "discarded", "2": "superseded", "3": "superseded"}
