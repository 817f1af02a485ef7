"""Detection by modification time as a machine: what is polled changes meanwhile, fails, is killed, and has zombies.

The model is the source itself, and a rule for the position: it never goes back, it is a stamp that the source has
shown, and of everything below it (less the overlap, which the next poll reads again) the mirror has the newest. When
all is quiet, the mirror is the source.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import Engine, select
from support.builders import NOW, a_customer
from support.effort import try_out
from support.listing import Listing
from support.recording import KilledError, Killing, PollerRig

from common.domain.clock import ManualClock
from common.domain.errors import PageUnreadable, RateLimited, SystemUnavailable
from common.domain.layers import Layer
from common.domain.resources import USERS
from common.domain.runs import RunState
from common.storage import tables
from common.storage.customers import PostgresCustomerStore
from common.storage.detection import PostgresDetectionStore
from common.storage.memory.detection import MemoryDetectionStore
from common.storage.memory.locks import LockServer, MemoryLocks
from common.storage.memory.tables import MemoryTables
from poller import runs

OVERLAP = timedelta(seconds=30)
#: Ours is wrong by that, and no stamp of the source's has a fraction: what comes from our clock shows.
OUR_ERROR = timedelta(seconds=11, microseconds=123_456)
#: Polls after which a quiet source must have been read to a sealed end.
POLLS = 60

ids = st.sampled_from([f"u{number}" for number in range(7)])
#: How long before it is shown a change was stamped: transactions commit late. Always less than the overlap.
lateness = st.sampled_from((0, 0, 0, 1, 29))
places = st.integers(0, 9)


@dataclass(frozen=True)
class Edit:
    source_id: str
    #: Where in the list it goes: the list is in the order of names.
    place: int
    late: int


@dataclass(frozen=True)
class Delete:
    source_id: str


@dataclass(frozen=True)
class Pass:
    seconds: int


edits = st.builds(Edit, ids, places, lateness)
passing = st.builds(Pass, st.sampled_from((1, 2, 31, 400)))
deletions = st.builds(Delete, ids)
happenings = st.one_of(edits, edits, deletions, passing)
#: While a list is paged: what leaves it moves all that comes after it up, perhaps over the edge of a page.
meanwhiles = st.none() | edits | deletions | passing
failures = st.sampled_from(("none", "none", "down", "unreadable", "limited"))


@dataclass(frozen=True)
class Kept:
    """A store, and what a test reads behind its back."""

    customer_id: str
    store: Any
    position: Callable[[], datetime | None]
    mirrored: Callable[[], Mapping[str, str]]


class Polling(RuleBasedStateMachine):
    def __init__(self, start: Callable[[], Kept]) -> None:
        super().__init__()
        self.kept = start()
        self.source = Listing(page_size=2, clock=NOW)
        self.clock, self.ids, self.names = ManualClock(NOW + OUR_ERROR), itertools.count(1), itertools.count(1)
        self.rig, self.zombie = self._worker(), self._worker()
        self.stamps: set[datetime] = set()
        self.stamped: dict[str, datetime] = {}
        self.highest: datetime | None = None
        self.meanwhile: list[Any] = []
        self.source.between = self._between

    def _worker(self) -> PollerRig:
        """With locks of its own, as if its connection were lost: only fencing is left to keep the two apart."""
        rig = PollerRig(
            self.source, store=self.kept.store, clock=self.clock, locks=MemoryLocks(LockServer()),
            new_id=lambda: f"id{next(self.ids)}-{self.kept.customer_id}",
        )  # fmt: skip
        rig.customers.add(a_customer(self.kept.customer_id))
        return rig

    @rule(happening=happenings)
    def something_happens(self, happening: Edit | Delete | Pass) -> None:
        source = self.source
        if isinstance(happening, Pass):
            source.advance(happening.seconds)
            self.clock.advance(happening.seconds)
        elif isinstance(happening, Delete):
            source.delete(happening.source_id)
        else:
            # The stamps of one record never go back, not even over its deletion.
            before = self.stamped.get(happening.source_id, NOW - timedelta(days=1))
            shown_at = source.clock.replace(microsecond=0)
            at = self.stamped[happening.source_id] = max(before, shown_at - timedelta(seconds=happening.late))
            source.put(happening.source_id, f"{happening.place} {next(self.names):04}", at=at)
            self.stamps.add(at)

    def _between(self) -> None:
        """Before each page something may happen, or a whole run of another worker's."""
        if self.meanwhile:
            happening = self.meanwhile.pop(0)
            if happening == "zombie":
                self._run(self.zombie)
            elif happening is not None:
                self.something_happens(happening)

    @rule(edited=st.lists(edits, min_size=4, max_size=7), apart=st.sampled_from((1, 40)))
    def a_busy_time(self, edited: list[Edit], apart: int) -> None:
        """Nobody polls, so that the next poll has several pages, and what is on them lies far apart in time."""
        for each in edited:
            self.something_happens(each)
            self.something_happens(Pass(apart))

    @rule(meanwhile=st.lists(meanwhiles, max_size=6), failure=failures, at=st.integers(0, 4))
    def a_poll(self, meanwhile: list[Any], failure: str, at: int) -> None:
        self.meanwhile = list(meanwhile)
        errors = {
            "down": SystemUnavailable("503", sent=True), "unreadable": PageUnreadable("html"),
            "limited": RateLimited("429", until=self.clock.now() + timedelta(seconds=20)),
        }  # fmt: skip
        self.source.errors = [None] * at + [errors[failure]] if failure in errors else []
        self._run(self.rig)
        self._calm_down()

    @rule(meanwhile=st.lists(meanwhiles, max_size=4), at=st.integers(1, 9), after=st.booleans())
    def a_poll_that_is_killed(self, meanwhile: list[Any], at: int, after: bool) -> None:  # noqa: FBT001 - drawn
        self.meanwhile = list(meanwhile)
        whole = self.rig.parts
        self.rig.parts = replace(whole, store=Killing(whole.store, at=at, after=after))
        with suppress(KilledError):
            self._run(self.rig)
        self.rig.parts = whole
        self._calm_down()

    @rule(before=st.lists(meanwhiles, max_size=3), behind=st.lists(meanwhiles, max_size=3))
    def a_poll_with_a_zombie(self, before: list[Any], behind: list[Any]) -> None:
        """Stopped in the middle of a page; another reads on meanwhile, perhaps to the end; then it wakes."""
        self.meanwhile = [*before, "zombie", *behind]
        self._run(self.rig)
        self._calm_down()

    @rule(minutes=st.sampled_from((1, 15)))
    def a_quiet_poll(self, minutes: int) -> None:
        self.something_happens(Pass(minutes * 60))
        self._run(self.rig)

    def _calm_down(self) -> None:
        self.meanwhile, self.source.errors = [], []

    def _run(self, rig: PollerRig) -> Any:
        return runs.run(rig.parts, rig.customers.get(self.kept.customer_id), USERS)

    @invariant()
    def the_position_never_goes_back_and_never_comes_from_a_clock(self) -> None:
        position = self.kept.position()
        assert self.highest is None or (position is not None and position >= self.highest)
        # A list that was empty when it was read first: by then, as the source's clock has it.
        is_of_nobody = self.highest is None and position is not None and position.microsecond == 0
        assert position in {None, self.highest} or position in self.stamps or is_of_nobody, f"{position} is nobody's"
        self.highest = position

    @invariant()
    def the_position_never_passes_what_is_not_stored(self) -> None:
        if self.highest is None:
            return
        mirrored = self.kept.mirrored()
        for source_id, (name, at) in self.source.rows.items():
            if at < self.highest - OVERLAP:
                assert mirrored.get(source_id) == name, f"{source_id} of {at} is not stored; position {self.highest}"

    def teardown(self) -> None:
        """Once all is quiet, everything is there."""
        self._calm_down()
        ended = 0
        # What is under way ends below a bound of its own; the one after it reads all the rest.
        for _ in range(POLLS):
            self.something_happens(Pass(400))
            ended += self._run(self.rig) == RunState.COMPLETED
            if ended > 1:
                break
        mirrored = self.kept.mirrored()
        there = {source_id: name for source_id, (name, _) in self.source.rows.items()}
        assert {source_id: mirrored.get(source_id) for source_id in there} == there
        self.the_position_never_goes_back_and_never_comes_from_a_clock()


@pytest.fixture(params=["memory", "postgres"])
def start(request: pytest.FixtureRequest) -> Iterator[Callable[[], Kept]]:
    """Empty tables, or a customer of its own, for each story."""
    if request.param == "memory":
        yield in_memory
        return
    engine = request.getfixturevalue("engine")
    customers, ids = PostgresCustomerStore(engine, ManualClock()), itertools.count(1)

    def anew() -> Kept:
        customer_id = f"acme-{next(ids)}"
        customers.add(a_customer(customer_id))
        return on_postgres(engine, customer_id)

    yield anew


def in_memory() -> Kept:
    state = MemoryTables()

    def position() -> datetime | None:
        row = state.rows.checkpoints.get(("charity", USERS, Layer.POLL))
        return row.position if row else None

    def mirrored() -> dict[str, str]:
        return {entity.source_id: row.body["last_name"] for entity, row in state.mirror.items()}

    return Kept("charity", MemoryDetectionStore(state, partitions=4), position, mirrored)


def on_postgres(engine: Engine, customer_id: str) -> Kept:
    marks, mirror = tables.checkpoints.c, tables.mirror.c

    def position() -> datetime | None:
        query = select(marks.position).where(marks.customer_id == customer_id, marks.position.is_not(None))
        with engine.connect() as connection:
            return connection.execute(query).scalar_one_or_none()

    def mirrored() -> dict[str, str]:
        query = select(mirror.source_id, mirror.body).where(mirror.customer_id == customer_id)
        with engine.connect() as connection:
            return {source_id: body["last_name"] for source_id, body in connection.execute(query)}

    return Kept(customer_id, PostgresDetectionStore(engine, partitions=4), position, mirrored)


#: How many stories, and how long: on the real thing, which has the same rules to keep, they cost a hundred times more.
EFFORT = {"memory": (40, 30), "postgres": (3, 8)}


def test_the_position_passes_nothing_that_is_not_stored_and_in_the_end_all_is_there(start, request):
    examples, steps = EFFORT[request.node.callspec.params["start"]]
    try_out(lambda: Polling(start), examples=examples, steps=steps)
