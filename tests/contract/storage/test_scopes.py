"""What is read scope by scope: which scopes there are, which is next, and what a reading of one has shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from threading import Thread

import pytest
from support.builders import NOW, a_broken_record, a_page, a_record, after, an_entity
from support.turns import is_waiting_or_done
from support.waiting import wait_until

from common.domain.errors import RunFenced
from common.domain.records import Record
from common.domain.resources import EARNED_CERTIFICATES, GROUP_MEMBERS, GROUPS, USERS
from common.domain.sources import WHOLE, DueScope, ResourceTerms, Style
from common.domain.stores import ScopeEnd
from common.domain.writes import EventOutcome, SliceOutcome
from common.storage.outcomes import record_outcome

TERMS = ResourceTerms(style=Style.SCOPED, roots=("root",), parents={GROUPS: "group"})
LATER = after(3600)


class Walker:
    """A run over one resource, driven by hand."""

    def __init__(self, storage, resource=GROUP_MEMBERS):
        self.storage, self.resource, self.run_id = storage, resource, ""

    def start(self, run_id, *, now=NOW, customer_id="acme"):
        self.run_id = run_id
        started = self.storage.detection.start_run(
            customer_id=customer_id, resource=self.resource, run_id=run_id, trace_id="trace", now=now
        )
        return started.progress

    def save(self, scope, *source_ids, now=NOW, resource=None, customer_id="acme", **more):
        """A page of a run of its own."""
        progress = replace(self.start(f"{self.resource}{now.timestamp()}{scope}", now=now), scope=scope)
        found = [a_record_of(resource or self.resource, each) for each in source_ids]
        more = {"shows_all": True, **more}
        page = a_page(progress, *found, resource=self.resource, scope=scope, now=now, customer_id=customer_id, **more)
        return self.storage.detection.save_page(page, progress), progress

    def read(self, scope, *source_ids, now=NOW, due_at=LATER, is_evidence=True, apart=300, also=(), **more):
        """One whole reading of a scope; returns what its end has counted."""
        _, progress = self.save(scope, *source_ids, now=now, **more)
        end = self.end(progress, now, due_at, is_evidence=is_evidence, apart=apart, also=also)
        counts = self.storage.detection.end_scope(end, progress)
        self.storage.detection.save_progress("acme", self.resource, progress, continue_at=now)
        self.forget(progress, now)
        return counts

    def end(self, progress, now=NOW, due_at=LATER, *, is_evidence=True, apart=300, also=()):
        return ScopeEnd(
            customer_id="acme", resource=self.resource, run_id=progress.run_id, trace_id="trace", origin="poll",
            scope=progress.scope, scan_id=progress.scan_id, due_at=due_at, is_evidence=is_evidence,
            evidence_before=now - timedelta(seconds=apart), now=now, also=also,
        )  # fmt: skip

    def forget(self, progress, now):
        self.storage.detection.finish_run(
            "acme", self.resource, progress.run_id, state="completed", position=None, error="", now=now
        )

    def plan(self, due_at, now=NOW, terms=TERMS):
        self.storage.detection.plan_scopes("acme", self.resource, terms, due_at, now)

    def next(self, now=NOW, *, read_before=None, **more):
        found = self.storage.detection.next_scope(
            "acme", self.resource, TERMS, now, read_before=read_before or now, **more
        )
        return found and found.scope

    def all_due(self, now=NOW, **more):
        """In the order in which they would be read."""
        order = []
        while (scope := self.next(now, **more)) is not None:
            order.append(scope)
            self.read(scope, now=now, due_at=None, is_evidence=False)
        return order


def a_record_of(resource, source_id, **changes):
    return Record(
        resource=resource, source_id=source_id, updated_at=changes.pop("at", NOW), body={"id": source_id, **changes},
        raw={"id": source_id},
    )  # fmt: skip


def groups(storage, *source_ids, now=NOW, **changes):
    """Listed, and readable unless the test says otherwise."""
    walker = Walker(storage, GROUPS)
    progress = walker.start(f"groups{now.timestamp()}{source_ids[:3]}", now=now)
    found = [a_record_of(GROUPS, each, **changes) for each in source_ids]
    storage.detection.save_page(a_page(progress, *found, resource=GROUPS, now=now, shows_all=True), progress)
    walker.forget(progress, now)


@pytest.fixture
def walker(storage):
    return Walker(storage)


def overdue(_scope, _parent, _read_at, now):
    return now - timedelta(days=1)


def last_event(storage, source_id):
    found = [e for e in storage.due(after(10**7)) if e.entity.source_id == source_id]
    return max(found, key=lambda event: event.version)


def test_roots_and_a_scope_for_each_parent_are_planned_with_the_parents_body(storage, walker):
    groups(storage, "61", "62", name="Drivers")
    asked = []
    walker.plan(lambda scope, parent, read_at, now: asked.append((scope, parent.get("name"), read_at)) or now)

    assert sorted(asked) == [("group/61", "Drivers", None), ("group/62", "Drivers", None), ("root", None, None)]
    assert storage.detection.scope("acme", GROUP_MEMBERS, TERMS, "group/61").parent == {"id": "61", "name": "Drivers"}
    assert sorted(walker.all_due()) == ["group/61", "group/62", "root"]


def test_planning_again_asks_for_nothing_that_has_not_changed(storage, walker):
    groups(storage, "61", "62")
    walker.plan(overdue)
    groups(storage, "62", now=after(60), at=after(60), name="renamed")
    walker.all_due()
    asked = []
    walker.plan(lambda scope, *_: asked.append(scope))

    assert [scope for scope in asked if scope != "root"] == ["group/62"]


def test_a_parent_that_changed_is_read_again(storage, walker):
    groups(storage, "61")
    walker.plan(overdue)
    walker.all_due()
    assert walker.next(after(60)) is None
    groups(storage, "61", now=after(60), at=after(60), name="renamed")
    walker.plan(overdue, after(61))

    assert walker.next(after(61)) == "group/61"


def test_what_waits_for_its_parent_is_reckoned_from_its_last_reading_when_it_is_unplanned(storage, walker):
    groups(storage, "61", "62")
    walker.plan(overdue)
    walker.all_due()
    storage.detection.unplan_scopes("globex")
    walker.plan(overdue, after(30))
    assert walker.next(after(30)) is None
    storage.detection.unplan_scopes("acme")
    walker.plan(lambda _scope, _parent, read_at, _now: read_at and read_at + timedelta(seconds=50), after(30))

    assert (walker.next(after(49)), walker.next(after(50))) == (None, "group/61")
    asked = []
    walker.plan(lambda scope, *_: asked.append(scope), after(30))
    assert asked == ["root"]


def test_what_is_due_sooner_stays_so_when_it_is_unplanned(storage, walker):
    groups(storage, "61")
    walker.plan(overdue)
    walker.all_due()
    groups(storage, "61", now=after(60), at=after(60), name="renamed")
    walker.plan(lambda *_: after(70), after(60))
    storage.detection.unplan_scopes("acme")
    walker.plan(lambda *_: after(500), after(61))

    assert walker.next(after(70), read_before=after(65)) == "group/61"


def test_what_was_never_read_is_due_by_the_new_answer_alone_when_it_is_unplanned(storage, walker):
    groups(storage, "61")
    walker.plan(lambda scope, *_: None if scope == "root" else NOW)
    storage.detection.unplan_scopes("acme")
    walker.plan(lambda *_: None, after(1))

    assert walker.next(after(60)) is None


def test_of_a_parent_that_changed_too_the_change_counts_when_it_is_unplanned(storage, walker):
    groups(storage, "61")
    walker.plan(overdue)
    walker.all_due()
    storage.detection.unplan_scopes("acme")
    groups(storage, "61", now=after(60), at=after(60), name="renamed")
    asked = []
    walker.plan(lambda scope, _parent, read_at, now: asked.append((scope, read_at)) or now, after(61))

    assert ("group/61", None) in asked


def test_of_a_parent_that_is_gone_nothing_is_read_any_more(storage, walker):
    groups(storage, "61", "62")
    walker.plan(overdue)
    whole = Walker(storage, GROUPS)
    whole.plan(overdue, terms=ResourceTerms(style=Style.SCOPED, roots=(WHOLE,)))
    for moment in (after(1000), after(2000)):
        whole.read(WHOLE, "62", now=moment)
    walker.plan(overdue, after(3000))

    assert sorted(walker.all_due(after(3000))) == ["group/62", "root"]


def test_of_a_parent_that_cannot_be_read_nothing_is_read(storage, walker):
    parent = Walker(storage, GROUPS)
    progress = parent.start("groups")
    broken = replace(a_broken_record("61"), resource=GROUPS)
    storage.detection.save_page(a_page(progress, broken=(broken,), resource=GROUPS), progress)
    walker.plan(overdue)

    assert walker.all_due() == ["root"]


def test_more_parents_than_fit_into_one_step_are_all_planned(storage, walker):
    names = [str(number) for number in range(1203)]
    groups(storage, *names)
    asked = []
    walker.plan(lambda scope, *_: asked.append(scope))

    assert sorted(asked) == sorted(["root", *(f"group/{name}" for name in names)])


def test_what_is_overdue_goes_first_and_history_last(storage, walker):
    groups(storage, *"1234")
    times = {"root": after(-60), "group/1": after(-90_000), "group/2": NOW, "group/3": NOW, "group/4": after(60)}
    walker.plan(lambda scope, *_: times[scope])

    assert walker.next(after(30)) == "group/1"
    assert walker.next(after(30), history_first=True) == "group/2"
    assert walker.all_due(after(30)) == ["group/1", "root", "group/2", "group/3"]


def test_history_that_has_waited_for_days_still_lets_what_is_near_go_first(storage, walker):
    groups(storage, "1")
    walker.plan(lambda scope, _parent, _read_at, now: now if scope == "group/1" else after(3 * 86_400))

    assert walker.all_due(after(3 * 86_400)) == ["root", "group/1"]


def planned_now(_scope, _parent, _read_at, now):
    """As history is."""
    return now


def test_what_has_been_read_is_no_history_when_its_parent_changes(storage, walker):
    groups(storage, "1")
    walker.plan(planned_now)
    walker.all_due()
    groups(storage, "2", now=after(50))
    walker.plan(planned_now, after(50))
    groups(storage, "1", now=after(60), at=after(60), name="renamed")
    walker.plan(planned_now, after(60))

    assert walker.all_due(after(70)) == ["group/1", "group/2"], "though it has waited for less long"


def test_what_a_page_has_shown_to_be_worth_reading_is_no_history(storage, walker):
    groups(storage, "1", "2", "3")
    walker.plan(lambda scope, *_: after(1) if scope == "group/3" else NOW)
    shown = DueScope(resource=GROUP_MEMBERS, scope="group/2")
    Walker(storage, GROUPS).save(WHOLE, now=after(2), due=[shown])

    assert walker.all_due(after(2)) == ["group/2", "group/3", "group/1", "root"]


def test_what_this_walk_has_read_is_left_for_the_next(storage, walker):
    groups(storage, "1")
    walker.plan(overdue)
    walker.read("group/1", now=after(5), due_at=after(5))

    assert walker.next(after(9), read_before=NOW) == "root"
    assert walker.next(after(9), read_before=after(6)) == "root"
    walker.read("root", now=after(9), due_at=LATER)
    assert walker.next(after(9), read_before=NOW) is None
    assert walker.next(after(9), read_before=after(6)) == "group/1"


def test_a_page_can_make_scopes_of_any_resource_due_and_puts_none_off(storage, walker):
    groups(storage, "1", "2")
    walker.plan(lambda scope, *_: {"root": None, "group/1": LATER, "group/2": after(-5)}[scope])
    other = Walker(storage, GROUPS)
    shown = [DueScope(resource=GROUP_MEMBERS, scope=f"group/{number}") for number in (1, 2, 3)]
    other.save(WHOLE, now=after(1), due=shown)

    assert walker.all_due(after(1)) == ["group/2", "group/1", "group/3"]


def test_a_scope_that_was_shown_before_its_parent_is_planned_when_the_parent_comes(storage, walker):
    Walker(storage, GROUPS).save(WHOLE, due=[DueScope(resource=GROUP_MEMBERS, scope="group/1")])
    assert storage.detection.scope("acme", GROUP_MEMBERS, TERMS, "group/1").parent == {}
    groups(storage, "1", now=after(1))
    asked = []
    walker.plan(lambda scope, *_: asked.append(scope), after(1))

    assert asked[-1] == "group/1"


def test_a_record_is_gone_when_two_readings_have_not_shown_it(storage, walker):
    walker.plan(overdue)
    walker.read("root", "a", "b")

    assert walker.read("root", "a", now=after(1000)).deleted == 0
    assert walker.read("root", "a", now=after(2000)).deleted == 1
    event = last_event(storage, "b")
    assert (event.action, event.version, event.payload, event.state) == ("delete", 2, {"id": "b"}, "pending")
    assert (event.entity.resource, event.origin, event.occurred_at) == (GROUP_MEMBERS, "poll", after(2000))
    assert storage.run(event.run_id).counts.deleted == 1
    assert walker.read("root", "a", now=after(3000)).deleted == 0
    assert last_event(storage, "a").version == 1


def test_a_deletion_is_due_with_what_waited_until_there_was_a_newer_event(storage, walker):
    walker.plan(overdue)
    walker.read("root", "a", now=NOW)
    (event,) = storage.due()
    held = EventOutcome(event_id=event.event_id, state="pending", retry_at=after(10**6), until_newer=True)
    storage.delivery.record("acme", SliceOutcome(events=(held,)), NOW)
    walker.read("root", now=after(1000))
    asleep = storage.due(after(1500))
    walker.read("root", now=after(2000))

    assert asleep == []
    assert sorted((each.version, each.action) for each in storage.due(after(2000))) == [(1, "upsert"), (2, "delete")]


@pytest.mark.parametrize("storage", ["postgres"], indirect=True)
def test_a_deletion_that_is_detected_while_an_older_event_begins_to_wait_wakes_it(storage, walker, engine):
    walker.plan(overdue)
    walker.read("root", "a", now=NOW)
    (event,) = storage.due()
    held = EventOutcome(event_id=event.event_id, state="pending", retry_at=after(10**6), until_newer=True)
    walker.read("root", now=after(1000))
    _, progress = walker.save("root", now=after(2000))
    ending = Thread(target=storage.detection.end_scope, args=(walker.end(progress, after(2000)), progress))
    with engine.begin() as connection:
        record_outcome(connection, "acme", SliceOutcome(events=(held,)), NOW)
        ending.start()
        wait_until(lambda: is_waiting_or_done(engine, ending), seconds=5, what="it to wait for its turn")
    ending.join(5)

    assert sorted(each.version for each in storage.due(after(2000))) == [1, 2]


def test_two_readings_close_to_each_other_are_one_piece_of_evidence(storage, walker):
    walker.plan(overdue)
    walker.read("root", "a")
    for seconds in (1000, 1100, 1299):
        assert walker.read("root", now=after(seconds)).deleted == 0

    assert walker.read("root", now=after(1300)).deleted == 1


def test_a_record_that_is_seen_in_between_has_to_be_missed_twice_again(storage, walker):
    walker.plan(overdue)
    walker.read("root", "a")
    walker.read("root", now=after(1000))
    walker.read("root", "a", now=after(2000))

    assert walker.read("root", now=after(3000)).deleted == 0
    assert walker.read("root", now=after(4000)).deleted == 1


def test_a_record_that_comes_back_unchanged_is_a_change(storage, walker):
    walker.plan(overdue)
    walker.read("root", "a")
    for moment in (after(1000), after(2000)):
        walker.read("root", now=moment)
    counts, _ = walker.save("root", "a", now=after(3000))

    assert (counts.detected, counts.unchanged) == (1, 0)
    event = last_event(storage, "a")
    assert (event.action, event.version) == ("upsert", 3)


def test_a_reading_that_is_no_evidence_takes_nothing_away(storage, walker):
    walker.plan(overdue)
    walker.read("root", "a")

    assert [walker.read("root", now=after(1000 * n), is_evidence=False).deleted for n in range(1, 5)] == [0] * 4
    assert walker.read("root", now=after(9000)).deleted == 0


def test_a_reading_says_nothing_of_other_scopes_and_other_customers(storage, walker):
    groups(storage, "1")
    walker.plan(overdue)
    walker.read("root", "a")
    walker.read("group/1", "b")
    progress = walker.start("other", customer_id="globex")
    page = a_page(
        progress, a_record_of(GROUP_MEMBERS, "a"), resource=GROUP_MEMBERS, scope="root", shows_all=True,
        customer_id="globex",
    )  # fmt: skip
    storage.detection.save_page(page, progress)
    for moment in (after(1000), after(2000)):
        walker.read("root", now=moment)

    gone = [e.entity for e in storage.due(after(10**7)) if e.action == "delete"]
    assert gone == [an_entity("a", resource=GROUP_MEMBERS)]
    assert [e.action for e in storage.due(after(10**7), customer_id="globex")] == ["upsert"]


def test_a_page_that_does_not_show_all_takes_no_record_away_from_the_scope_that_does(storage, walker):
    groups(storage, "1")
    walker.plan(overdue)
    walker.read("root", "a")
    walker.read("group/1", "a", now=after(500), is_evidence=False, shows_all=False)

    assert walker.read("root", now=after(1000)).deleted == 0
    walker.read("group/1", "a", now=after(1500), is_evidence=False, shows_all=False)
    assert walker.read("root", now=after(2000)).deleted == 0, "it was seen in between"
    assert walker.read("root", now=after(3000)).deleted == 1


def test_records_of_the_resources_that_come_along_are_missed_as_well(storage, walker):
    walker.plan(overdue)
    walker.read("root", "a", resource=EARNED_CERTIFICATES)
    for moment in (after(1000), after(2000)):
        walker.read("root", now=moment)
    assert last_event(storage, "a").action == "upsert"

    counts = [walker.read("root", now=after(n), also=(EARNED_CERTIFICATES,)).deleted for n in (3000, 4000)]
    assert counts == [0, 1]
    assert last_event(storage, "a").entity.resource == EARNED_CERTIFICATES


def test_a_record_that_could_not_be_read_is_not_taken_for_gone(storage, walker):
    walker.plan(overdue)
    broken = replace(a_broken_record("a"), resource=GROUP_MEMBERS)
    walker.read("root", broken=(broken,))

    assert [walker.read("root", now=after(1000 * n)).deleted for n in range(1, 4)] == [0, 0, 0]


def test_a_page_of_several_resources_is_kept_as_what_each_record_is(storage, walker):
    progress = walker.start("run1")
    found = [a_record("1"), a_record_of(GROUP_MEMBERS, "1"), a_record_of(EARNED_CERTIFICATES, "1")]
    counts = storage.detection.save_page(a_page(progress, *found, resource=GROUP_MEMBERS), progress)

    assert (counts.read, counts.detected, counts.requests, counts.pages) == (3, 3, 1, 1)
    assert sorted(e.entity.resource for e in storage.due()) == sorted([USERS, GROUP_MEMBERS, EARNED_CERTIFICATES])
    seen = {each: storage.detection.seen_in_scan("acme", each, progress.scan_id) for each in (USERS, GROUP_MEMBERS)}
    assert seen == {USERS: 1, GROUP_MEMBERS: 1}


def test_the_end_of_a_reading_moves_what_is_due_and_says_when_it_was_read(storage, walker):
    walker.plan(overdue)
    walker.read("root", "a", now=after(10), due_at=after(70))

    found = storage.detection.scope("acme", GROUP_MEMBERS, TERMS, "root")
    assert (found.read_at, found.whole_at) == (after(10), after(10))
    assert (walker.next(after(69)), walker.next(after(70))) == (None, "root")
    walker.read("root", "a", now=after(70), due_at=None, is_evidence=False)
    assert walker.next(after(10**6)) is None
    found = storage.detection.scope("acme", GROUP_MEMBERS, TERMS, "root")
    assert (found.read_at, found.whole_at) == (after(70), after(10))


def test_a_run_that_was_taken_over_ends_no_scope(storage, walker):
    walker.plan(overdue)
    for moment in (NOW, after(1000)):
        walker.read("root", *(["a"] if moment == NOW else []), now=moment)
    progress = replace(walker.start("taken", now=after(2000)), scope="root")
    walker.forget(progress, after(2000))
    walker.start("by this one", now=after(2000))

    with pytest.raises(RunFenced):
        storage.detection.end_scope(walker.end(progress, after(2000)), progress)
    assert last_event(storage, "a").action == "upsert"
    assert storage.detection.scope("acme", GROUP_MEMBERS, TERMS, "root").read_at == after(1000)
