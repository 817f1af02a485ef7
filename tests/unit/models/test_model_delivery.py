"""The processor's slice as a machine: new versions, failures of every kind, kills, zombies, dead letters and replays.

The model is what landed at the destination. Of each entity: requests never overlap, an older version never lands after
a newer one, nothing is there twice; an event ends once, and stays ended; and when all is quiet the newest version is
there, unless it was refused. An event of which every one counts is never superseded by a newer one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from support.delivering import PretendedDestination, ProcessorRig
from support.effort import try_out
from support.recording import KilledError, Killing

from common.domain.errors import LockLost, RateLimited, SystemUnavailable, UnknownOutcome
from common.domain.events import FINAL_STATES, EventState
from common.domain.people import Person
from common.domain.writes import Answer, Write
from common.storage.memory.locks import MemoryLocks
from processor.delivery import deliver

PARTITIONS, SLICE, BATCH = 2, 5, 3
#: In seconds: when a request can no longer land. A zombie's does within this, and not later.
SETTLES = 30.0
ENTITIES = ("1", "2", "3", "4")
entities = st.sampled_from(ENTITIES)


@dataclass
class Watched(PretendedDestination):
    """Says what is in flight, and lets something happen while a request is."""

    meanwhile: Callable[[], None] | None = None
    in_flight: set[str] = field(default_factory=set)
    overlapping: set[str] = field(default_factory=set)

    def apply(self, writes: Sequence[Write]) -> Sequence[Answer]:
        own = {write.entity.source_id for write in writes}
        # Not raised here: what is raised by a request is a defect, and is retried.
        self.overlapping |= own & self.in_flight
        self.in_flight |= own
        try:
            happening, self.meanwhile = self.meanwhile, None
            if happening is not None:
                happening()
            return super().apply(writes)
        finally:
            self.in_flight -= own


def an_error(kind: str, rig: ProcessorRig) -> Exception:
    return {
        "unsent": lambda: SystemUnavailable("refused", sent=False),
        "503": lambda: SystemUnavailable("503", sent=True, status=503),
        "504": lambda: SystemUnavailable("504", sent=True, status=504),
        "silence": lambda: UnknownOutcome("no answer"),
        "429": lambda: RateLimited("slow down", until=rig.clock.now() + timedelta(seconds=20)),
        "defect": lambda: ZeroDivisionError("ours"),
    }[kind]()


#: What the next requests meet: an error, and whether the request was done all the same.
DONE_OR_NOT = ("504", "silence", "defect")
failures = st.lists(
    st.none()
    | st.tuples(st.sampled_from(("unsent", "503", "429")), st.just(False))
    | st.tuples(st.sampled_from(DONE_OR_NOT), st.booleans()),
    max_size=3,
)


class Delivering(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.destination = Watched(size=BATCH, settle_seconds=SETTLES, visibility_seconds=2.0)
        self.rig = ProcessorRig(self.destination, partitions=PARTITIONS, slice_events=SLICE)
        self.second = replace(self.rig.parts, locks=MemoryLocks(self.rig.server))
        self.names = 0
        #: How each event has ended, as far as it has.
        self.ended: dict[int, EventState] = {}
        self.every_one: set[int] = set()
        #: Events that were dead letters once.
        self.refused: set[int] = set()

    @rule(source_id=entities, every_one_counts=st.booleans())
    def a_new_version(self, source_id: str, every_one_counts: bool) -> None:  # noqa: FBT001 - drawn
        self.names += 1
        self.rig.detect(source_id, last_name=f"name{self.names}")
        if every_one_counts:
            newest = max(event.event_id for event in self.rig.tables.events)
            self.every_one.add(newest)
            self._change(newest, coalesce=False)

    @rule(source_ids=st.lists(entities, min_size=2, max_size=4, unique=True))
    def new_versions(self, source_ids: list[str]) -> None:
        self.names += 1
        self.rig.detect(*source_ids, last_name=f"name{self.names}")

    @rule(planned=failures, poison=st.sets(entities, max_size=1))
    def a_slice(self, planned: list[Any], poison: set[str]) -> None:
        self._fail(planned, poison)
        self.rig.deliver()
        self._calm_down()

    @rule(planned=failures, at=st.integers(1, 12), after=st.booleans())
    def a_slice_that_is_killed(self, planned: list[Any], at: int, after: bool) -> None:  # noqa: FBT001 - drawn
        self._fail(planned, set())
        whole = self.rig.parts
        self.rig.parts = replace(whole, store=Killing(whole.store, at=at, after=after))
        with suppress(KilledError):
            self.rig.deliver()
        self.rig.parts = whole
        self._calm_down()

    @rule(planned=failures, seconds=st.sampled_from((0.0, 3.0, SETTLES - 1.0)), more=st.sets(entities))
    def a_slice_of_a_zombie(self, planned: list[Any], seconds: float, more: set[str]) -> None:
        """Its session is lost while a request is under way; others take over, at once and until it must have landed."""
        self._fail(planned, set())

        def meanwhile() -> None:
            self.rig.locks.disconnect()
            for source_id in sorted(more):
                self.a_new_version(source_id, every_one_counts=False)
            self.rig.clock.advance(seconds)
            while deliver(self.second, self.rig.customers.get("acme")):
                pass

        self.destination.meanwhile = meanwhile
        with suppress(LockLost):
            self.rig.deliver()
        self._calm_down()

    @rule(seconds=st.sampled_from((1.0, 3.0, 31.0, 400.0)))
    def time_passes(self, seconds: float) -> None:
        self.rig.clock.advance(seconds)

    @rule(number=st.integers(0, 5))
    def a_dead_letter_is_replayed(self, number: int) -> None:
        letters = self.rig.tables.dead_letters
        if letters:
            letter = letters[number % len(letters)]
            self.ended.pop(letter.event_id, None)
            self._replay(letter)

    def _replay(self, letter: Any) -> None:
        """As `fleet dlq replay` does."""
        with self.rig.tables.transaction() as rows:
            place = rows.letters.index(letter)
            rows.letters[place] = replace(letter, state="replayed")
        self._change(letter.event_id, state=EventState.PENDING, attempts=0, defects=0)

    def _change(self, event_id: int, **changes: Any) -> None:
        with self.rig.tables.transaction() as rows:
            row = rows.events[event_id]
            is_open = changes.get("state") is EventState.PENDING
            kept = {"retry_at": self.rig.clock.now(), "finished_at": None} if is_open else {}
            rows.events[event_id] = replace(row, event=replace(row.event, **changes), **kept)

    def _fail(self, planned: list[Any], poison: set[str]) -> None:
        self.destination.failures = [each and (an_error(each[0], self.rig), each[1]) for each in planned]
        self.destination.poison = poison

    def _calm_down(self) -> None:
        self.destination.failures, self.destination.poison, self.destination.meanwhile = [], set(), None

    @invariant()
    def an_older_version_never_lands_after_a_newer_one(self) -> None:
        by_entity: dict[str, list[int]] = defaultdict(list)
        for source_id, version in self.destination.landed:
            by_entity[source_id].append(version)
        for source_id, versions in by_entity.items():
            assert versions == sorted(versions), f"of {source_id} landed {versions}"

    @invariant()
    def no_two_requests_of_an_entity_overlap(self) -> None:
        assert not self.destination.overlapping

    @invariant()
    def nothing_is_there_twice(self) -> None:
        assert all(len(own) <= 1 for own in self.destination.contacts.values())

    @invariant()
    def an_event_ends_once(self) -> None:
        for event in self.rig.tables.events:
            before = self.ended.get(event.event_id)
            assert before in (None, event.state), f"event {event.event_id} had ended as {before}, and is {event.state}"
            if event.state in FINAL_STATES:
                self.ended[event.event_id] = event.state
            if event.state is EventState.DEAD_LETTERED:
                self.refused.add(event.event_id)

    def teardown(self) -> None:
        self._calm_down()
        self.rig.settle()
        self.an_older_version_never_lands_after_a_newer_one()
        self.nothing_is_there_twice()
        self.an_event_ends_once()
        events = self.rig.tables.events
        assert all(event.state in FINAL_STATES for event in events), self.rig.states()
        for event in events:
            if event.event_id in self.every_one - self.refused:
                assert event.state in (EventState.APPLIED, EventState.UNCHANGED), f"{event.event_id}: {event.state}"
        for entity in {event.entity for event in events}:
            newest = max((e for e in events if e.entity == entity), key=lambda event: event.version)
            if newest.state is not EventState.DEAD_LETTERED:
                assert newest.state in (EventState.APPLIED, EventState.UNCHANGED)
                assert self.destination.contacts[entity] == [Person.from_body(newest.payload)]


def test_the_newest_wins_and_nothing_lands_late_or_twice_whatever_fails():
    try_out(Delivering, examples=30)
