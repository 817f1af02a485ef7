"""Source, mirror and destination of one tree, each changed by itself: the layers bring them together again.

In the manner of Dropbox's CanopyCheck. Three copies of one tree of people, groups and members are edited independently:
the source by its users, the mirror by losing what it knew, the destination by its staff and by lost links. Then rounds
of polls, full scans and a check of the three sides plan what is to be done, with the product's own detectors; the
slices apply it, entities in any order, with failures and kills in between. It must end, in few rounds, with the
destination as the source is, but for what the fuse holds and what is a person's to see to; nothing is deleted that the
source has; and a further round writes nothing.
"""

from __future__ import annotations

import random

from hypothesis import given, note
from hypothesis import strategies as st
from support.effort import effort
from support.forest import NODES
from support.three_sides import Change, Sides

from common.domain.errors import SystemUnavailable, UnknownOutcome
from common.domain.fuse import Fuse

#: Deletions are proposed by the second of two full scans; what they find is applied, checked and repaired by the third.
ROUNDS = 4

nodes = st.sampled_from(NODES)
changes = st.one_of(
    st.builds(Change, st.just("source"), st.sampled_from(("edited", "edited", "deleted", "hidden")), nodes),
    st.builds(Change, st.just("mirror"), st.sampled_from(("outdated", "polled")), nodes),
    st.builds(Change, st.just("destination"), st.sampled_from(("edited", "deleted", "unlinked")), nodes),
)
failures = st.lists(
    st.none()
    | st.sampled_from(("unsent", "answered")).map(lambda kind: (SystemUnavailable("503", sent=kind != "unsent"), False))
    | st.booleans().map(lambda happened: (UnknownOutcome("no answer"), happened)),
    max_size=4,
)


@effort(60)
@given(
    planted=st.lists(nodes, max_size=11, unique=True), story=st.lists(changes, max_size=10), failing=failures,
    fuse=st.sampled_from((Fuse(fraction=0.0, records=1), Fuse())), kills=st.lists(st.integers(1, 12), max_size=3),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_three_sides_come_together_whatever_changed_on_each(planted, story, failing, fuse, kills, seed):
    sides = Sides(fuse, random.Random(seed))
    for node in planted:
        sides.source.grow(node, 0)
    sides.round()
    assert sides.shown() == sides.wanted()
    before = len(sides.deletions())
    for change in story:
        note(str(change))
        sides.change(change)
    sides.tell()

    for number in range(ROUNDS):
        sides.round(kills if number == 0 else (), failing if number == 0 else ())
        sides.check_deletions(before)

    sides.tell()
    wanted = sides.wanted()
    there = sides.shown()
    assert {node: there.get(node) for node in wanted} == wanted
    excused = sides.held | sides.without_evidence | sides.unlinked
    assert there.keys() - wanted.keys() <= excused, "gone at the source, and still shown"
    assert all(len(own) <= 1 for own in sides.destination.contacts.values()), "a double"
    written, detected = sides.writes(), len(sides.tables.events)
    sides.round()
    assert (sides.writes(), len(sides.tables.events)) == (written, detected), "a further round is not idle"
