"""Sessions of the database: trusted while in use, asked when they were idle, and replaced when they are gone."""

from __future__ import annotations

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DataError, OperationalError
from support.waiting import wait_until

from common.storage import engine as sessions
from common.storage.engine import make_engine


@pytest.fixture
def own(servers):
    engine = make_engine(servers.database_url, connections=1, name="sessions")
    yield engine
    engine.dispose()


def pid(engine) -> int:
    with engine.connect() as connection:
        return connection.execute(text("SELECT pg_backend_pid()")).scalar_one()


def kill(engine, victim) -> None:
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": victim})


def is_gone(engine, victim) -> bool:
    with engine.connect() as connection:
        query = text("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid")
        return connection.execute(query, {"pid": victim}).scalar_one() == 0


def test_a_session_that_was_idle_and_is_gone_is_replaced_without_an_error(own, engine, monkeypatch):
    monkeypatch.setattr(sessions, "TRUSTED_SECONDS", 0.0)
    victim = pid(own)
    kill(engine, victim)
    wait_until(lambda: is_gone(engine, victim), seconds=5, what="the end of the session")

    assert pid(own) != victim


def test_a_trusted_session_that_is_gone_is_an_outage_once(own, engine):
    victim = pid(own)
    kill(engine, victim)
    wait_until(lambda: is_gone(engine, victim), seconds=5, what="the end of the session")

    with pytest.raises(OperationalError):
        pid(own)
    assert pid(own) != victim


def test_a_session_in_use_is_not_asked_each_time(own):
    pid(own)
    statements = []
    event.listen(own, "before_cursor_execute", lambda _c, _u, statement, *_: statements.append(statement))
    asked = []
    own.dialect.do_ping = asked.append
    for _ in range(5):
        pid(own)

    assert (len(statements), asked) == (5, [])


def test_an_error_of_the_database_does_not_tell_the_values_it_was_given(own):
    with pytest.raises(DataError) as caught, own.connect() as connection:
        connection.execute(text("SELECT 1 / (length(:name) - length(:name))"), {"name": "Fenmar Quonox"})

    assert "Fenmar" not in str(caught.value)
