"""Ten thousand full scans of a source that cuts short, repeats, lies in its total, fails and is empty: none of them
takes away what is there, and two honest ones find out all that is gone.

Where the source tells of each record by its id, it may even leave records out of its lists and count them out, as often
as it likes, and change while it is read. Where it does not, that lie is told once at a time.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest
from support.builders import after
from support.full import APART, Account, FullRig

from common.domain.errors import PageUnreadable, PermanentError, RateLimited, SystemUnavailable
from common.domain.events import Action
from common.domain.fuse import Fuse
from common.domain.sources import Page, PageQuery

#: Together ten thousand scans.
STORIES, SCANS = 400, 25
IDS = [f"{number:02}" for number in range(12)]

Bend = Callable[["World", PageQuery, Page], Page]


def fails(error: Callable[[], Exception]) -> Bend:
    def bend(_world: World, _query: PageQuery, _page: Page) -> Page:
        raise error()

    return bend


def fails_at_the_end(_world: World, _query: PageQuery, page: Page) -> Page:
    if page.next_page is None:
        raise SystemUnavailable("bad gateway", sent=True)
    return page


def shuffled(world: World, _query: PageQuery, page: Page) -> Page:
    """The page of another order of the whole list."""
    order = list(world.source.rows)
    world.dice.shuffle(order)
    return replace(page, records=[world.source.shown(each) for each in order[: len(page.records)]])


#: What each page may be bent to; what is told of every page of a scan is among them too.
BENDS: Sequence[Bend] = (
    lambda _world, _query, page: page,
    lambda _world, _query, page: replace(page, records=page.records[1:]),
    lambda _world, _query, page: replace(page, records=[]),
    lambda _world, _query, page: replace(page, next_page=None),
    lambda _world, _query, page: replace(page, records=[], next_page=None),
    lambda _world, _query, page: replace(page, records=[], total=0, next_page=None),
    lambda _world, _query, page: replace(page, records=[*page.records[:1], *page.records[:1]]),
    lambda _world, _query, page: replace(page, records=[*page.records, *page.records]),
    lambda _world, _query, page: replace(page, records=page.records[1:], total=(page.total or 0) + 1),
    lambda _world, _query, page: replace(page, total=(page.total or 0) + 1),
    lambda _world, _query, page: replace(page, total=max(0, (page.total or 0) - 1)),
    lambda _world, _query, page: replace(page, total=None),
    lambda _world, _query, page: replace(page, total=0),
    lambda _world, _query, page: replace(page, next_page="0"),
    shuffled,
    fails_at_the_end,
    fails(lambda: PageUnreadable("not JSON")),
    fails(lambda: SystemUnavailable("bad gateway", sent=True)),
    fails(lambda: RateLimited("slow down", until=after(7))),
    fails(lambda: PermanentError("no such page", reason="refused")),
)


@dataclass
class World:
    """A source, what is there by its own word, and a poller that reads it."""

    seed: int
    has_details: bool
    source: Account = field(init=False)
    #: Left out of every list, and counted out.
    hidden: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.source = Account(has_details=self.has_details)
        self.source.put(*self.dice.sample(IDS, 8))
        self.rig = FullRig(self.source, fuse=Fuse(fraction=1.0, records=1000))
        self.counted = 0
        self.honest_before = True

    def edit(self) -> None:
        source_id = self.dice.choice(IDS)
        if self.dice.random() < 0.5:
            self.source.rows.pop(source_id, None)
        else:
            self.source.put(source_id)
        self.source.rows = self.source.rows or {"00": "name"}

    def scan_with_lies(self) -> None:
        """Each page bent by chance, or all by one bend; what is gone while it goes on was there before."""
        was_there = set(self.source.rows)
        one = self.dice.choice(BENDS) if self.dice.random() < 0.5 else None
        budget = [self.dice.randrange(30)]

        def lie(query: PageQuery, page: Page) -> Page:
            budget[0] -= 1
            page = self._without_hidden(query, page)
            return page if budget[0] < 0 else (one or self.dice.choice(BENDS))(self, query, page)

        if self.has_details:
            self.hidden = set(self.dice.sample(IDS, self.dice.randrange(4)))
            self.source.between = lambda: self.edit() if self.dice.random() < 0.2 else None
        else:
            self.hidden = set(self.dice.sample(IDS, 3 if self.honest_before and self.dice.random() < 0.5 else 0))
        self.honest_before = False
        self.source.lie = lie
        self.source.one = self._one
        self._scan(was_there)

    def scan(self) -> None:
        """Honest."""
        self.hidden, self.honest_before = set(), True
        self.source.lie, self.source.one = (lambda _, page: page), (lambda _, page: page)
        self.source.between = lambda: None
        self._scan(set(self.source.rows))

    def _one(self, _source_id: str, page: Page) -> Page:
        """An outage is waited for. No answer at all about one that two lists have hidden would be a second liar."""
        if self.dice.random() < 0.2:
            raise SystemUnavailable("bad gateway", sent=True)
        if page.is_gone and self.dice.random() < 0.2:
            raise PageUnreadable("not JSON")
        return page

    def _without_hidden(self, query: PageQuery, page: Page) -> Page:
        """The list as it is without some; an empty one would say nothing."""
        found = [each for each in sorted(self.source.rows) if each not in self.hidden]
        start, size = int(query.next_page or 0), self.source.page_size
        if not self.hidden or not found:
            return page
        shown = [self.source.shown(each) for each in found[start : start + size]]
        following = str(start + size) if start + size < len(found) else None
        return replace(page, records=shown, total=len(found), next_page=following)

    def _scan(self, was_there: set[str]) -> None:
        ever_away = set(IDS) - was_there
        watched = self.source.between

        def between() -> None:
            watched()
            ever_away.update(set(IDS) - set(self.source.rows))

        self.source.between = between
        self.rig.scan(after_seconds=APART)
        self.source.between = lambda: None
        new = [event for event in self.rig.tables.events if event.event_id > self.counted]
        self.counted = max((event.event_id for event in new), default=self.counted)
        gone = {event.entity.source_id for event in new if event.action == Action.DELETE}
        assert gone <= ever_away, f"story {self.seed}: what was there all the time was taken for gone"


@pytest.mark.parametrize("has_details", [True, False])
def test_no_scan_takes_away_what_is_there_and_two_honest_ones_find_all_that_is_gone(has_details):
    for seed in range(STORIES // 2):
        world = World(seed=seed, has_details=has_details)
        for _ in range(SCANS - 3):
            if world.dice.random() < 0.7:
                world.edit()
            if world.dice.random() < 0.2:
                world.scan()
            else:
                world.scan_with_lies()
        world.scan()
        world.edit()
        world.scan()
        world.scan()
        assert world.rig.there == set(world.source.rows), f"story {seed}"
