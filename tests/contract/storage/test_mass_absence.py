"""Many records gone at once: put out in portions, or held within the database; the same on both stores."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import pytest
from sqlalchemy import event
from support.builders import NOW, a_page, a_record

from common.domain.fuse import Fuse
from common.domain.resources import USERS
from common.domain.sources import Gone
from common.storage.removals import STEP, remove_or_hold
from common.storage.tables import mirror

#: More than a portion.
MANY = STEP + 50
IDS = [f"{number:05}" for number in range(MANY)]
OWN = (mirror.c.customer_id == "acme", mirror.c.resource == USERS)


@dataclass(frozen=True)
class Found:
    """By a run that may remove so much."""

    fuse: Fuse
    customer_id: str = "acme"
    origin: str = "full"
    run_id: str = "run1"
    trace_id: str = "trace"
    now = NOW


@pytest.fixture
def crowd(storage):
    """All of them have been seen, by a run that is still under way."""
    progress = storage.start().progress
    storage.detection.save_page(a_page(progress, *map(a_record, IDS)), progress)
    return storage


def deleted(storage):
    return [seen.source_id for seen in storage.events() if seen.version == 2]


@pytest.mark.parametrize("storage", ["postgres"], indirect=True)
def test_what_goes_is_taken_a_portion_at_a_time(crowd, engine):
    with engine.begin() as connection:
        removed = remove_or_hold(connection, Found(Fuse(fraction=1.0)), OWN)
        portions = [[row.source_id for row in rows] for rows in removed.gone]

    assert [len(rows) for rows in portions] == [STEP, MANY - STEP]
    assert sorted(chain(*portions)) == IDS
    assert removed.held == 0


@pytest.mark.parametrize("storage", ["postgres"], indirect=True)
def test_what_is_held_never_leaves_the_database(crowd, engine):
    fetched = []
    with engine.begin() as connection:
        event.listen(connection, "after_cursor_execute", lambda *args: fetched.append(args[1].rowcount))
        removed = remove_or_hold(connection, Found(Fuse(fraction=0.0, records=3)), OWN)
        statements = len(fetched)
        gone = [row.source_id for rows in removed.gone for row in rows]

    assert (removed.held, gone) == (MANY - 3, IDS[:3])
    assert statements == 3  # which resources, how the day stands, and who is held


def test_the_lowest_ids_go_and_the_others_are_held(crowd):
    progress = crowd.start("r2").progress
    gone = [IDS[number] for number in range(0, 40, 2)]
    page = a_page(progress, gone=[Gone(source_id=each) for each in reversed(gone)], fuse=Fuse(fraction=0.0, records=5))
    counts = crowd.detection.save_page(page, progress)

    assert (counts.deleted, counts.held) == (5, 15)
    assert sorted(deleted(crowd)) == gone[:5]
