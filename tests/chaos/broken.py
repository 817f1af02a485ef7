"""`python -m chaos.broken <bug> <celery arguments>`: one of the fleet's processes with a bug planted from outside.

Each is seen by another part of the judgement, under the attack named with it. The product has no switch for them.

    no-order           any          two write one entity at once: notes made twice, at the first reading    audit
    looks-away         lost-reply   what was made without an answer is made a second time                   audit
    checkpoint-first   flush        changes that nobody reads any more                                      no rest
    no-sweep           flush        work without a message waits until the sources are read again           recovery

Not here, for a fleet survives it: no locks alone, for the table of intents lets one unresolved write of an entity be
begun, whoever holds what. Nor a budget that starts open after a crash of Redis: limits that could be broken would
make each round wait for their windows, so the budget's own tests have that.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from celery.__main__ import main
from sqlalchemy import text
from support.breaking import NoLocks

from common.domain.errors import LockLost
from common.domain.stores import RunStart
from common.domain.writes import Intent, WriteState
from common.storage.delivery import PostgresDeliveryStore
from common.storage.detection import PostgresDetectionStore
from common.storage.locks import AdvisoryLocks
from poller import tasks
from processor import looking

AHEAD = text("UPDATE checkpoints SET position = now() WHERE customer_id = :customer_id AND resource = :resource")


def no_order() -> None:
    """Everybody gets every lock, and may begin a write while another's is unresolved."""
    free, begin = NoLocks(), PostgresDeliveryStore.begin

    def begin_anyway(store: PostgresDeliveryStore, intents: Sequence[Intent]) -> None:
        with suppress(LockLost):
            begin(store, intents)

    AdvisoryLocks.try_hold = lambda _self, name: free.try_hold(name)
    PostgresDeliveryStore.begin = begin_anyway


def looks_away() -> None:
    """After an unknown outcome nothing is ever found, so the write is made again; submissions are looked for."""
    judge = looking._judge

    def judge_blindly(part: Any, work: Any, intent: Intent, found: Any) -> Any:
        return judge(part, work, intent, found if intent.state is WriteState.SUBMITTED else {})

    looking._judge = judge_blindly


def checkpoint_first() -> None:
    """The checkpoint moves when a run begins, not with what it has read."""
    start_run = PostgresDetectionStore.start_run

    def start_ahead(store: PostgresDetectionStore, **options: Any) -> RunStart:
        start = start_run(store, **options)
        with store._engine.begin() as connection:
            connection.execute(AHEAD, {name: options[name] for name in ("customer_id", "resource")})
        return start

    PostgresDetectionStore.start_run = start_ahead


def no_sweep() -> None:
    """What Redis forgets, nobody says again."""
    tasks.sweep = lambda *_args, **_options: 0


BUGS: Mapping[str, Callable[[], None]] = {
    "no-order": no_order,
    "looks-away": looks_away,
    "checkpoint-first": checkpoint_first,
    "no-sweep": no_sweep,
}


if __name__ == "__main__":
    BUGS[sys.argv.pop(1)]()
    sys.argv[0] = "celery"
    sys.exit(main())
