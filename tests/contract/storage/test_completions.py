"""The history says when everything was read once, in the transaction of the last run; the same on both stores."""

from __future__ import annotations

import pytest
from support.builders import NOW

from common.domain.completions import ACTION, told_of
from common.domain.errors import RunFenced
from common.domain.layers import Layer
from common.domain.resources import PROJECTS, USERS

BOTH = (USERS, PROJECTS)


@pytest.fixture
def end(storage):
    """A run of a resource from its start to its end, in a transaction as the poller makes it."""

    def make(resource, *, backfilled=BOTH, position=NOW, layer=Layer.POLL, customer_id="acme"):
        run_id = f"{layer}/{resource}/{position}"
        storage.detection.start_run(
            customer_id=customer_id, resource=resource, run_id=run_id, trace_id="t", now=NOW, layer=layer
        )
        storage.detection.finish_run(
            customer_id, resource, run_id, state="completed", position=position, error="", now=NOW,
            backfilled=backfilled,
        )  # fmt: skip
        return list(storage.history())

    return make


def test_the_last_of_all_is_told(end):
    assert end(PROJECTS) == []
    assert end(USERS) == [("acme", ACTION, told_of(USERS))]


def test_a_run_that_is_no_first_one_tells_nothing(end):
    end(PROJECTS)
    assert end(USERS, backfilled=()) == []


def test_one_that_has_no_checkpoint_yet_is_still_to_be_read(end):
    end(PROJECTS, position=None)
    assert end(USERS) == []


def test_no_other_layer_and_no_other_customer_counts(end):
    end(PROJECTS, layer=Layer.FULL)
    end(PROJECTS, customer_id="globex")
    assert end(USERS) == []


def test_a_run_that_was_taken_over_tells_nothing(storage, end):
    end(PROJECTS)
    started = storage.start("r1")
    storage.finish("r1")
    with pytest.raises(RunFenced):
        storage.detection.finish_run(
            "acme", USERS, started.progress.run_id, state="completed", position=NOW, error="", now=NOW, backfilled=BOTH
        )

    assert list(storage.history()) == []
