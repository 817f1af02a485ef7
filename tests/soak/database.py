"""What the database holds and how soon work gets through it, by PostgreSQL's own views and the outbox."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, Engine, text

#: Those that grow with every edit and every run.
WATCHED_TABLES = ("events", "runs", "writes", "mirror", "audit", "dead_letters", "verifications")
#: Delays are of what ended so lately, in seconds.
LATELY_SECONDS = 30
BACKENDS = """
    SELECT application_name AS name, count(*) AS value FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'syncfleet %' GROUP BY 1
"""
TABLES = """
    SELECT relname AS name, n_dead_tup AS dead, pg_total_relation_size(relid) / 1048576.0 AS megabytes,
           n_tup_ins - n_tup_del AS rows
    FROM pg_stat_user_tables
"""
DELAYS = """
    SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - detected_at)) AS at
    FROM events WHERE finished_at > now() - make_interval(secs => :lately) AND state IN ('applied', 'unchanged')
"""
#: What waits for another event, or for weeks until hours are final, waits as it should: it grows with the edits, and
#: says nothing of how fast the fleet is. That it ends in the end is the audit's to say.
PENDING = "SELECT count(*) FROM events WHERE state IN ('pending', 'submitted') AND (waits_for <> '') = :waits"


def use_of(engine: Engine) -> Iterator[tuple[str, float]]:
    with engine.connect() as connection:
        for row in connection.execute(text(BACKENDS)):
            yield f"backends: {row.name.removeprefix('syncfleet ')}", float(row.value)
        yield from _tables(connection)
        yield from _delays(connection)
        for name, waits in (("pending", False), ("waiting", True)):
            yield name, float(connection.execute(text(PENDING), {"waits": waits}).scalar_one())


def _tables(connection: Connection) -> Iterator[tuple[str, float]]:
    rows = connection.execute(text(TABLES)).all()
    yield "dead tuples", float(sum(row.dead for row in rows))
    yield "database megabytes", float(sum(row.megabytes for row in rows))
    for row in rows:
        if row.name in WATCHED_TABLES:
            yield f"table megabytes: {row.name}", float(row.megabytes)
            yield f"table rows: {row.name}", float(row.rows)


def _delays(connection: Connection) -> Iterator[tuple[str, float]]:
    """Nothing, while nothing ends."""
    at = connection.execute(text(DELAYS), {"lately": LATELY_SECONDS}).scalar_one()
    if at is not None and at[0] is not None:
        yield "delay p50", float(at[0])
        yield "delay p99", float(at[1])
