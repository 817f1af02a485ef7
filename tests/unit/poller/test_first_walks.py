"""A first walk is over only when what it is read by is known: until then all that it finds is a backfill's."""

from __future__ import annotations

import pytest
from support.builders import NOW
from support.recording import PollerRig
from support.roster import Roster
from support.scoped import STAFF, ScopedSource
from support.walks import walk

from common.domain.layers import Layer
from common.domain.resources import GROUP_MEMBERS, GROUPS, USERS
from common.domain.runs import RunState
from common.domain.sources import ResourceTerms, Style


@pytest.fixture
def source():
    """Nobody has read the groups yet."""
    source = ScopedSource()
    source.put(GROUP_MEMBERS, STAFF, "m9")
    source.group("1", "m1")
    return source


@pytest.fixture
def rig(source):
    return PollerRig(source)


def origins(rig):
    return {event.entity.source_id: event.origin for event in rig.tables.events}


def position(rig, resource=GROUP_MEMBERS):
    return rig.tables.rows.checkpoints["acme", resource, Layer.POLL].position


def test_a_walk_before_its_parents_are_read_is_no_backfill_and_the_next_one_still_is(rig):
    assert walk(rig) == RunState.COMPLETED
    assert position(rig) is None
    assert walk(rig, resource=GROUPS) == RunState.COMPLETED

    assert walk(rig) == RunState.COMPLETED
    assert (origins(rig)["m1"], rig.shares[-1]) == ("backfill", "backfill")
    assert position(rig) is not None


def test_what_is_due_again_meanwhile_is_a_polls_business(rig, source):
    walk(rig)
    source.put(GROUP_MEMBERS, STAFF, "m10")
    walk(rig, after_seconds=3600)

    assert origins(rig) == {"m9": "backfill", "m10": "poll"}


def test_the_history_says_so_with_the_last_resource_and_only_once(rig):
    order = [*source_resources(rig), *source_resources(rig)]
    for resource in order:
        walk(rig, resource=resource)
        walk(rig, resource=resource, after_seconds=3600)

    (line,) = rig.tables.rows.history
    assert line[:2] == ("acme", "backfill.completed")


def source_resources(rig):
    """The parents last."""
    return sorted(rig.source.resources, key=lambda name: name == GROUPS)


def test_a_list_that_was_empty_when_it_was_read_first_has_been_read():
    roster = Roster()
    rig = PollerRig(roster)
    assert rig.run() == RunState.COMPLETED
    assert rig.checkpoint().position == NOW

    roster.terms = {USERS: ResourceTerms(style=Style.MODIFIED)}
    other = PollerRig(roster)
    assert other.run() == RunState.COMPLETED
    assert other.checkpoint().position == NOW
