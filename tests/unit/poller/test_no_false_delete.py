"""No lie of a source makes a record that is there look gone, and what is gone is found out by two honest readings.

Any answer may be cut short, repeat what was shown, come in another order, give another total or none, or fail. What no
reader can tell from the truth is a list that leaves records out and counts them out: that one is told here once at a
time, for as long as a bad moment lasts, with an honest reading before the next.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import after
from support.recording import KilledError, Killing, PollerRig
from support.scoped import STAFF, ScopedSource, a_named
from support.walks import deleted, events, members, slowly, walk

from common.domain.errors import (
    PageUnreadable,
    PermanentError,
    RateLimited,
    SystemUnavailable,
)
from common.domain.events import Action
from common.domain.resources import GROUP_MEMBERS, GROUPS
from common.domain.runs import RunState
from common.domain.sources import WHOLE, Page, PageQuery

#: Between two readings that count; as in the rig.
APART = timedelta(minutes=5).total_seconds()
SCOPES = (STAFF, "group/1")
#: How many of the bends below are failures; one that never ends would make no reading.
FAILING = 4
#: More than one reading makes.
REQUESTS = 50

Bend = Callable[["Lies", PageQuery, Page], Page]


@dataclass
class Lies:
    """One bend for each request, then the truth."""

    source: ScopedSource
    bends: list[Bend] = field(default_factory=list)

    def tell(self, query: PageQuery, page: Page) -> Page:
        return self.bends.pop(0)(self, query, page) if self.bends else page


def fails(error: Callable[[], Exception]) -> Bend:
    def bend(_lies: Lies, _query: PageQuery, _page: Page) -> Page:
        raise error()

    return bend


def shuffled(seed: int) -> Bend:
    """The page of another order of the whole list: what is shown twice keeps something else from being shown."""

    def bend(lies: Lies, query: PageQuery, page: Page) -> Page:
        rows = lies.source.rows[GROUP_MEMBERS, query.scope]
        order = sorted(rows)
        random.Random(seed).shuffle(order)
        return replace(page, records=[a_named(GROUP_MEMBERS, each, *rows[each]) for each in order[: len(page.records)]])

    return bend


def miscounted(_lies: Lies, query: PageQuery, page: Page) -> Page:
    """The first of several pages leaves one out, and counts it out; the others do not."""
    if query.next_page is not None or page.next_page is None:
        return page
    return replace(page, records=page.records[1:], total=(page.total or 0) - 1)


#: These leave records out, and can be told from the truth.
HIDING: Sequence[Bend] = (
    lambda _lies, _query, page: page,
    lambda _lies, _query, page: replace(page, records=page.records[1:]),
    lambda _lies, _query, page: replace(page, records=[]),
    lambda _lies, _query, page: replace(page, next_page=None),
    lambda _lies, _query, page: replace(page, records=[], next_page=None),
    lambda _lies, _query, page: replace(page, records=[*page.records[:1], *page.records[:1]]),
    lambda _lies, _query, page: replace(page, records=page.records[1:], total=(page.total or 0) + 1),
    lambda _lies, _query, page: replace(page, records=page.records[1:], total=None),
    lambda _lies, _query, page: replace(page, records=[], total=0, next_page=None, shows_all=False),
    lambda _lies, _query, page: replace(page, is_gone=True, records=[], next_page=None, total=None),
    miscounted,
    *(shuffled(seed) for seed in range(3)),
    fails(lambda: PageUnreadable("not JSON")),
    fails(lambda: SystemUnavailable("bad gateway", sent=True)),
    fails(lambda: RateLimited("slow down", until=after(7))),
    fails(lambda: PermanentError("no such page", reason="refused")),
)
#: These show everything, and say that there is more, or less.
MISCOUNTING: Sequence[Bend] = (
    lambda _lies, _query, page: replace(page, total=(page.total or 0) + 1),
    lambda _lies, _query, page: replace(page, total=max(0, (page.total or 0) - 1)),
    lambda _lies, _query, page: replace(page, total=0),
    lambda _lies, _query, page: replace(page, total=None),
    lambda _lies, _query, page: replace(page, records=[*page.records, *page.records]),
    lambda _lies, _query, page: replace(page, records=page.records[::-1]),
)


@dataclass
class World:
    """A source, what is there by its own word, and a poller that reads it."""

    source: ScopedSource = field(default_factory=lambda: ScopedSource(periods=dict.fromkeys(SCOPES, 0.0)))

    def __post_init__(self) -> None:
        self.rig = PollerRig(self.source)
        self.lies = Lies(self.source)
        self.source.group("1", "13", "14", "15")
        self.source.put(GROUP_MEMBERS, STAFF, "f1", "f2", "f3")
        walk(self.rig, resource=GROUPS)
        self.source.lie = self.lies.tell
        self.counted = 0
        #: Nothing has changed and no list has lied since an honest reading of everything.
        self.is_fresh = False

    @property
    def there(self) -> set[str]:
        return {each for scope in SCOPES for each in self.source.rows[GROUP_MEMBERS, scope]}

    def put(self, scope: str, number: int) -> None:
        """Created, or edited."""
        self.is_fresh = False
        now = self.rig.clock.now()
        self.source.put(GROUP_MEMBERS, scope, f"{scope[-1]}{number}", name=str(now), at=now)

    def take(self, scope: str, number: int) -> None:
        self.is_fresh = False
        self.source.rows[GROUP_MEMBERS, scope].pop(f"{scope[-1]}{number}", None)

    def read(self, bends: Sequence[Bend] = (), *, after_seconds: float = 1.0, killed_at: int = 0) -> None:
        """A walk to its end; nothing that is there is gone by it."""
        self.lies.bends, before = list(bends), len(self.source.queries)
        self.rig.clock.advance(after_seconds)
        if killed_at:
            self._be_killed(killed_at)
        walk(self.rig)
        self.lies.bends = []
        asked = {query.scope for query in self.source.queries[before:]}
        self.is_fresh = self.is_fresh or (not bends and asked == set(SCOPES))
        self._check()

    def _be_killed(self, at: int) -> None:
        whole = self.rig.parts
        self.rig.parts = replace(whole, store=Killing(whole.store, at=at, after=True))
        with suppress(KilledError):
            self.rig.run(GROUP_MEMBERS)
        self.rig.parts = whole

    def _check(self) -> None:
        new = [event for event in self.rig.tables.events if event.event_id > self.counted]
        self.counted = max((event.event_id for event in new), default=self.counted)
        gone = {event.entity.source_id for event in new if event.action == Action.DELETE}
        assert not gone & self.there, "what is there was taken for gone"

    def bad_moment(self, hidden: frozenset[int], readings: int) -> None:
        """Lists that leave records out, and count them out."""
        bends = [leaving_out(hidden)] * REQUESTS
        for number in range(readings if self.is_fresh else 0):
            self.read(bends, after_seconds=APART if number == 0 else (APART - 1) / readings)
            self.is_fresh = False

    def calm_down(self) -> None:
        """The lies are over, and so is the hour for which a scope is left; what was said to be gone has changed."""
        self.rig.clock.advance(3600)
        self.source.put(GROUPS, WHOLE, "1", name="still there", at=self.rig.clock.now())
        walk(self.rig, resource=GROUPS)


def leaving_out(hidden: frozenset[int]) -> Bend:
    def bend(lies: Lies, query: PageQuery, page: Page) -> Page:
        rows = lies.source.rows[GROUP_MEMBERS, query.scope]
        found = [a_named(GROUP_MEMBERS, each, *rows[each]) for each in sorted(rows) if int(each[1:]) not in hidden]
        return replace(page, records=found, total=len(found), next_page=None)

    return bend


Step = Callable[[World], None]
scopes, numbers = st.sampled_from(SCOPES), st.integers(1, 6)
STUBBORN = [*HIDING[:-FAILING], *MISCOUNTING]
one_lie = st.sampled_from(STUBBORN).map(lambda bend: [bend] * REQUESTS)
bent = st.lists(st.sampled_from(HIDING), max_size=8) | st.lists(st.sampled_from(MISCOUNTING), max_size=8) | one_lie
waits = st.sampled_from((1.0, APART - 1, APART, 4000.0))


def a_reading(bends: list[Bend], wait: float, killed_at: int) -> Step:
    return lambda world: world.read(bends, after_seconds=wait, killed_at=killed_at)


def a_bad_moment(hidden: frozenset[int], readings: int) -> Step:
    return lambda world: world.bad_moment(hidden, readings)


def a_change(kind: str, scope: str, number: int) -> Step:
    return lambda world: getattr(world, kind)(scope, number)


steps = st.one_of(
    st.builds(a_reading, bent, waits, st.integers(0, 20)),
    st.builds(a_reading, st.just([]), waits, st.just(0)),
    st.builds(a_bad_moment, st.frozensets(numbers, min_size=1), st.integers(1, 3)),
    st.builds(a_change, st.sampled_from(("put", "take")), scopes, numbers),
)


@given(st.lists(steps, max_size=12), st.frozensets(st.tuples(scopes, numbers)))
def test_what_is_there_is_never_taken_for_gone_and_what_is_gone_is_found_out_by_two_honest_readings(story, leaving):
    world = World()
    world.read()
    for step in story:
        step(world)
    world.calm_down()
    world.read()
    for scope, number in leaving:
        world.take(scope, number)
    for _ in range(2):
        world.read(after_seconds=APART)

    assert set(members(world.rig)) == world.there
    before = events(world.rig)
    world.read(after_seconds=APART)
    assert events(world.rig) == before
    assert newest(world.rig) == {
        each: Action.UPSERT if each in world.there else Action.DELETE for each in known(before)
    }


def known(counted: Mapping[tuple[Action, str], int]) -> set[str]:
    return {source_id for _, source_id in counted}


def newest(rig: PollerRig) -> dict[str, Action]:
    """What was put out last of each."""
    return {e.entity.source_id: e.action for e in rig.tables.events if e.entity.resource == GROUP_MEMBERS}


@pytest.mark.parametrize("number", range(len(STUBBORN)))
def test_no_lie_takes_anything_away_however_often_it_is_told(number):
    world = World()
    world.read()
    for _ in range(3):
        world.read([STUBBORN[number]] * REQUESTS, after_seconds=APART)

    assert deleted(world.rig) == []


def test_what_an_earlier_round_of_a_long_walk_saw_does_not_seal_a_later_one():
    """A record that was away, and is back; one that has left since; and a list that is cut short just then."""
    source = ScopedSource(page_size=9, periods={STAFF: 1200.0})
    source.put(GROUP_MEMBERS, STAFF, "back", "left", "stays")
    rig = PollerRig(source, slice_seconds=10**6)
    for number in range(12):
        source.group(f"old{number:02}")
        source.history.add(f"group/old{number:02}")
    walk(rig)
    source.take(GROUP_MEMBERS, STAFF, "back")
    walk(rig, resource=GROUPS)
    rig.clock.advance(1200)
    slowly(rig, source, 150.0)

    def cut_short(query, page):
        if query.scope != STAFF or source.scopes_asked.count(STAFF) < 3:
            return page
        source.rows[GROUP_MEMBERS, STAFF].pop("left", None)
        source.put(GROUP_MEMBERS, STAFF, "back")
        return replace(page, records=[each for each in page.records if each.source_id == "stays"], total=2)

    source.lie = cut_short
    assert walk(rig) == RunState.COMPLETED
    assert source.scopes_asked.count(STAFF) > 3
    assert deleted(rig) == []
