"""The source beside the mirror: what was modified since the checkpoint, and what is gone only on good evidence."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert
from support.builders import NOW
from support.listed import fill_in_step
from support.listing import Listing

from common.domain.drift import AtSource
from common.storage.tables import checkpoints
from common.storage.verified import PostgresVerified
from poller.comparing import CompareParts, compare

POSITION = NOW


@pytest.fixture
def shown(engine):
    """A source, and what is said of it beside a mirror that has 1 and 2 up to the checkpoint."""
    fill_in_step(engine, 2)
    row = {"customer_id": "acme", "resource": "users", "layer": "poll", "position": POSITION, "updated_at": NOW}
    with engine.begin() as connection:
        connection.execute(insert(checkpoints).values(row))
    source = Listing()
    parts = CompareParts(source=source, store=PostgresVerified(engine), now=lambda: NOW, watch=lambda ask: ask())
    return source, lambda **how: compare(parts, "acme", "users", full=how.get("full", False))


def test_what_the_source_committed_late_below_the_checkpoint_is_seen(shown):
    source, view = shown
    source.put("3", "Late", at=POSITION - timedelta(seconds=110))
    source.put("4", "Long known", at=POSITION - timedelta(minutes=3))

    found = view()
    assert (found.total, dict(found.differing)) == (2, {"3": AtSource.NEW})
    assert found.since == POSITION - timedelta(minutes=2)


def test_what_is_gone_counts_only_if_the_pages_of_a_whole_reading_agree(shown):
    source, view = shown
    source.put("3", "Else")
    found = view(full=True)
    assert (dict(found.differing), found.since) == ({"1": AtSource.GONE, "2": AtSource.GONE, "3": AtSource.NEW}, None)

    source.put("4", "Hidden")
    source.hidden.add("4")
    assert dict(view(full=True).differing) == {"3": AtSource.NEW}
