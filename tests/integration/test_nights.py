"""A nightly customer's night on real servers: what it does, when it applies, and how it ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from support.hub import Hub
from support.nightly import NightRig

from common.domain.clock import ManualClock
from common.domain.customers import Mode, System
from common.domain.layers import Layer
from common.domain.nights import Finding, NightState, Phase
from common.limits.memory import MemoryBudget
from common.storage.detection import PostgresDetectionStore
from common.storage.night_truth import PostgresNightTruth
from common.storage.tables import events, writes
from processor.tasks import NIGHT_UNKNOWN


@pytest.fixture
def clock():
    return ManualClock(datetime.now(tz=UTC).replace(microsecond=0))


@pytest.fixture
def timed(engine, servers, redis, clock):
    built = Hub(engine=engine, servers=servers, redis=redis, clock=clock, budget=MemoryBudget(clock))
    yield built
    built.close()


@pytest.fixture
def rig(timed, clock, organization):
    access = organization(users=3)
    made = NightRig(timed, clock, timed.onboard(access, create="direct"))
    made.access = access
    return made


def test_a_whole_night_reads_applies_and_reports(rig):
    night = rig.whole_night()

    assert (night.state, night.reason) == (NightState.COMPLETED, "")
    assert rig.hub.states(rig.name) == {"applied": 3}
    assert {probe.finding for probe in night.probes.values()} == {Finding.REACHABLE}
    told = {name: night.report[name] for name in ("read", "detected", "applied", "deferred", "dead_lettered")}
    assert told == {"read": 3, "detected": 3, "applied": 3, "deferred": 0, "dead_lettered": 0}
    assert night.report["applied_through"] == night.report["checkpoints"]["users"]
    assert night.deadline_at == night.started_at + timedelta(hours=6)
    assert rig.announced == [rig.name]


def contacts(rig, sandbox):
    return len(sandbox.export(rig.name)["destination"]["contacts"])


def written(rig):
    """Source ids and versions, in the order in which their writes were thought of: the hub counts its ids up."""
    query = select(writes.c.write_id, writes.c.source_id, writes.c.version).filter_by(customer_id=rig.name)
    with rig.hub.engine.connect() as connection:
        rows = sorted(connection.execute(query), key=lambda row: int(row.write_id.rsplit("-", 1)[1]))
    return [(row.source_id, row.version) for row in rows]


def test_nothing_is_applied_or_read_outside_the_window(rig, sandbox):
    before = contacts(rig, sandbox)
    rig.hub.poll(rig.name)  # events, as a weekly scan or a replay leaves them
    rig.turn()
    rig.message(Layer.POLL)
    assert rig.hub.states(rig.name) == {"pending": 3}
    assert rig.queue.until == [rig.clock.now() + NIGHT_UNKNOWN]
    assert (rig.hub.overview.due_work(rig.clock.now()), len(rig.hub.overview.runs(rig.name))) == ([], 1)

    night = rig.whole_night()
    sandbox.create_user(rig.name)
    rig.hub.poll(rig.name)
    rig.turn()
    assert rig.hub.states(rig.name) == {"applied": 3, "pending": 1}
    assert rig.queue.until[-1] == night.next_at
    assert contacts(rig, sandbox) == before + 3


def test_while_a_night_is_open_it_says_itself_when_it_applies(rig):
    rig.hub.poll(rig.name)
    rig.claim()
    rig.deliver()

    assert (rig.queue.until, rig.hub.states(rig.name)) == ([], {"pending": 3})
    assert rig.hub.overview.due_work(rig.clock.now()) == []
    rig.sleep_until()
    assert rig.hub.states(rig.name) == {"applied": 3}


def test_a_run_that_waits_goes_on_while_a_night_reads_and_not_before(rig):
    PostgresNightTruth(rig.hub.engine).ask(rig.name, ["users"], rig.clock.now())
    assert rig.hub.overview.due_runs(rig.clock.now()) == []
    rig.claim()
    night = rig.hub.nights.current(rig.name)
    rig.hub.nights.save(night, phase=Phase.READ, deadline_at=rig.clock.now() + timedelta(hours=1))

    assert [run.layer for run in rig.hub.overview.due_runs(rig.clock.now())] == [Layer.NIGHTLY]
    assert rig.hub.overview.due_runs(rig.clock.now() + timedelta(hours=1)) == []


def test_a_night_that_starts_late_has_its_whole_window(rig):
    rig.claim()
    rig.clock.advance(5 * 3600)
    started = rig.clock.now()
    night = rig.sleep_until()

    assert (night.started_at, night.deadline_at) == (started, started + timedelta(hours=6))
    assert night.state is NightState.COMPLETED


def test_what_is_left_at_the_deadline_comes_first_the_next_night_and_never_after_what_is_newer(rig, sandbox):
    rig.hub.with_run_parts(store=PostgresDetectionStore(rig.hub.engine, partitions=1))
    (fault,) = away(rig, sandbox)
    night = rig.cut_short()
    assert (night.report["deferred"], night.report["applied"]) == (3, 0)

    sandbox.remove_fault(fault)
    oldest, newer = sorted(map(int, sandbox.export(rig.name)["source"]["users"]))[:2]
    sandbox.change_user(rig.name, oldest, last_name="Changed")
    fresh = sandbox.create_user(rig.name)["id"]
    rig.clock.advance(18 * 3600)
    late = rig.clock.now() + timedelta(hours=1)
    with rig.hub.engine.begin() as connection:
        own = {"customer_id": rig.name, "source_id": str(oldest)}
        connection.execute(update(events).filter_by(**own).values(retry_at=late))
    before = len(written(rig))
    rig.claim(1)
    rig.sleep_until(phase="apply")
    rig.turn()
    assert rig.night.is_open, "an older change is due before the deadline"
    assert str(oldest) not in [source_id for source_id, _ in written(rig)[before:]], "its newer one waits with it"
    rig.clock.advance(3600)
    night = rig.sleep_until()

    order = [source_id for source_id, _ in written(rig)[before:]]
    assert order.index(str(newer)) < order.index(str(fresh))
    assert (night.state, night.report["taken_over"], night.report["deferred"]) == (NightState.COMPLETED, 3, 0)
    versions = [version for source_id, version in written(rig) if source_id == str(oldest)]
    assert versions == sorted(versions)


def away(rig, sandbox):
    """The destination answers reads, and takes nothing: its breaker is closed again by every look."""
    create = {"system": "crm", "method": "POST", "route": "/api/Contact", "organization": rig.name}
    return sandbox.add_faults({"kind": "error", "status": 503, **create})


def test_a_night_whose_destination_takes_nothing_fails_and_the_third_one_pauses(rig, sandbox):
    away(rig, sandbox)
    for day in range(3):
        assert rig.customer.is_active
        night = rig.cut_short(day)
        assert night.state is NightState.FAILED
        assert night.reason.startswith("destination reachability: nothing could be applied: "), night.reason
        assert "503" in night.reason
        assert (night.report["applied"], night.report["deferred"]) == (0, 3)
        # Also where an answered look has closed the breaker since: the events remember.
        assert "503" in rig.parts.truth.applying(night).outage
        rig.clock.advance(60)
    assert "3 nights in a row failed" in rig.customer.status_reason


def test_a_night_whose_destination_took_a_part_is_completed_and_tells_what_it_left(rig, sandbox):
    rig.whole_night()
    users = sorted(map(int, sandbox.export(rig.name)["source"]["users"]))
    sandbox.change_user(rig.name, users[0], last_name="Changed")
    sandbox.create_user(rig.name)
    rig.clock.advance(60)
    away(rig, sandbox)  # whom it has is changed by PUT, whom it has not is created by POST
    night = rig.cut_short(1)

    assert (night.state, night.reason) == (NightState.COMPLETED, "")
    assert (night.report["applied"], night.report["deferred"]) == (1, 1)


@pytest.fixture
def long_read(timed, clock, organization):
    """Two pages, and a slice of a run reads one."""
    made = NightRig(timed, clock, timed.onboard(organization(users=17), create="direct"))
    timed.with_run_parts(slice_seconds=-1.0)
    return made


def test_a_reading_that_outlasts_its_window_goes_on_the_next_night_and_what_it_found_is_applied(long_read):
    rig = long_read
    rig.claim()
    rig.turn()
    first = rig.night
    assert (first.phase, rig.hub.states(rig.name)) == (Phase.READ, {"pending": 15})
    rig.clock.advance(4 * 3600 + 1)
    night = rig.sleep_until()
    assert (night.state, night.reason) == (NightState.COMPLETED, "source: time: the reading goes on next night: users")
    assert rig.hub.states(rig.name) == {"applied": 15}
    assert night.report["read"] == 15
    assert rig.hub.nights.failed_in_a_row(rig.name) == 0

    rig.clock.advance(18 * 3600)
    night = rig.whole_night(1)
    assert (night.state, night.reason) == (NightState.COMPLETED, "")
    assert rig.hub.states(rig.name) == {"applied": 17}
    assert night.report["detected"] == 2, "it did not read the first page again"
    assert night.report["applied"] == 2


def test_a_night_that_saves_no_page_more_has_not_read_on(long_read, sandbox):
    rig = long_read
    rig.claim()
    rig.turn()
    rig.clock.advance(4 * 3600 + 1)
    rig.sleep_until()
    rig.clock.advance(18 * 3600)
    rig.claim(1)
    rig.reach("read")
    sandbox.add_faults({"kind": "error", "status": 503, "system": "volunteer", "organization": rig.name})
    rig.turn()
    rig.clock.advance(6 * 3600)
    night = rig.sleep_until()

    assert night.state is NightState.FAILED
    assert "not all was read by the deadline: users" in night.reason
    assert night.report["read"] == 0


class KilledHere(Exception):
    """As SIGKILL: nobody catches it."""


class Deaths:
    """Wraps what changes something: the first call of each kind dies, before or right after it is made."""

    def __init__(self):
        self.after, self.died = False, set()

    def again(self, *, after):
        self.after, self.died = after, set()

    def wrap(self, name, inner):
        def call(*arguments, **changes):
            kind = (name, *(getattr(each, "phase", str(each)) for each in arguments[:2]), *sorted(changes))
            is_first = kind not in self.died
            self.died.add(kind)
            if is_first and not self.after:
                raise KilledHere
            answer = inner(*arguments, **changes)
            if is_first:
                raise KilledHere
            return answer

        return call


class Fragile:
    """Passes calls on, and those of these names through `Deaths`."""

    def __init__(self, inner, names, deaths):
        self._inner, self._names, self._deaths = inner, names, deaths

    def __getattr__(self, name):
        inner = getattr(self._inner, name)
        return self._deaths.wrap(name, inner) if name in self._names else inner


def killed_and_resumed(rig):
    """How many deaths the night took."""
    deaths = 0
    for _ in range(60):
        try:
            rig.turn()
        except KilledHere:
            deaths += 1
        if not rig.night.is_open:
            return deaths
        rig.clock.advance(15)
    raise AssertionError(f"the night is still at {rig.night.phase}")


@pytest.mark.parametrize("after", [False, True])
def test_a_night_killed_at_each_of_its_writes_comes_to_the_same_end(rig, sandbox, after):
    rig.whole_night()
    there, deaths = contacts(rig, sandbox), Deaths()
    rig.hub.nights = Fragile(rig.hub.nights, {"save", "note_probe"}, deaths)
    rig.parts = replace(
        rig.parts_of(rig.hub),
        truth=Fragile(PostgresNightTruth(rig.hub.engine), {"ask"}, deaths),
        announce=deaths.wrap("announce", lambda _: None),
    )
    person = min(map(int, sandbox.export(rig.name)["source"]["users"]))
    sandbox.change_user(rig.name, person, last_name="Changed")
    rig.clock.advance(60)
    assert rig.claim(1)
    deaths.again(after=after)

    # Its start, a probe asked for and noted of either system, three phases, the asking, a hint, its end.
    assert killed_and_resumed(rig) >= 9
    night = rig.night
    assert (night.state, night.report["applied"], night.report["deferred"]) == (NightState.COMPLETED, 1, 0)
    assert rig.hub.states(rig.name) == {"applied": 4}
    assert contacts(rig, sandbox) == there
    assert len(rig.hub.nights.list(rig.name, 100)) == 2


@pytest.mark.parametrize("phase", ["read", "apply"])
def test_a_customer_that_goes_over_to_continuous_and_back_loses_and_doubles_nothing(rig, sandbox, phase):
    before = contacts(rig, sandbox)
    rig.claim()
    rig.reach(phase)
    rig.hub.poll(rig.name)
    rig.hub.customers.change(replace(rig.customer, mode=Mode.CONTINUOUS))
    rig.clock.advance(15)
    rig.turn()
    assert (rig.night.state, rig.night.reason) == (NightState.ABANDONED, "the customer is continuous now")
    assert rig.hub.states(rig.name) == {"applied": 3}, "at once, as any continuous customer's"

    sandbox.create_user(rig.name)
    rig.hub.poll(rig.name)
    rig.hub.customers.change(replace(rig.customer, mode=Mode.NIGHTLY))
    rig.deliver()
    assert rig.hub.states(rig.name) == {"applied": 3, "pending": 1}
    rig.clock.advance(60)
    night = rig.whole_night(1)
    assert (night.report["taken_over"], night.report["applied"]) == (1, 1)
    assert contacts(rig, sandbox) == before + 4


def test_three_failed_nights_in_a_row_pause_for_a_day_and_a_person_clears_them(rig):
    rig.hub.breakers.block(rig.name, System.SOURCE, "GET /users: 401", rig.clock.now())
    for day in range(3):
        assert rig.customer.is_active
        night = rig.whole_night(day)
        rig.clock.advance(60)
        assert (night.state, night.reason) == (NightState.FAILED, "source token: rejected: GET /users: 401")
    paused = rig.customer
    assert not paused.is_active
    assert timedelta(hours=23) < paused.paused_until - rig.clock.now() <= timedelta(hours=24)
    assert "3 nights in a row failed, the last one: source token: rejected" in paused.status_reason

    rig.hub.customers.resume(rig.name)
    assert rig.hub.nights.failed_in_a_row(rig.name) == 0
    rig.whole_night(3)
    assert rig.customer.is_active
    rig.clock.advance(60)
    rig.hub.breakers.unblock(rig.name, System.SOURCE)
    assert rig.whole_night(4).state is NightState.COMPLETED


@pytest.mark.parametrize(("api", "system"), [("volunteer", "source"), ("crm", "destination")])
def test_a_rejected_token_fails_the_night_at_once_and_names_the_system(rig, sandbox, api, system):
    sandbox.add_faults({"kind": "error", "status": 401, "system": api, "organization": rig.name})
    rig.claim()
    rig.turn()
    rig.clock.advance(15)
    rig.turn()

    assert rig.night.state is NightState.FAILED
    assert rig.night.reason.startswith(f"{system} token: rejected: ")
    assert len(rig.hub.overview.runs(rig.name)) == 0


def test_a_system_that_is_not_there_is_asked_again_within_the_window(rig, sandbox):
    sandbox.add_faults({"kind": "script", "script": [503, 503, 200], "system": "crm", "organization": rig.name})
    rig.claim()
    rig.turn()
    assert rig.night.probes[System.DESTINATION].finding is Finding.UNREACHABLE
    assert rig.night.next_step_at > rig.clock.now()
    attempts = rig.night.attempts
    rig.turn()
    assert rig.night.attempts == attempts, "not before its time"
    night = rig.sleep_until()

    assert (night.state, night.attempts) == (NightState.COMPLETED, 4)
    assert night.pauses == 0, "an outage is no limit"


@pytest.mark.parametrize(
    ("api", "route", "status", "count"),
    [("volunteer", "/users", 429, 1), ("crm", "/api/Contact", 429, 1), ("volunteer", "/users", 503, 0)],
)
def test_each_time_a_limit_makes_it_wait_is_counted_and_an_outage_is_not(rig, sandbox, api, route, status, count):
    rig.claim()
    rig.reach("read")
    kind = {"kind": "rate_limit", "retry_after_seconds": 5} if status == 429 else {"kind": "error", "status": status}
    (fault,) = sandbox.add_faults({**kind, "system": api, "route": route, "organization": rig.name})
    rig.turn()
    sandbox.remove_fault(fault)
    night = rig.sleep_until()

    assert night.state is NightState.COMPLETED
    assert (night.pauses, night.report["rate_limit_pauses"]) == (count, count)


def test_a_letter_that_is_replayed_waits_for_the_window_and_goes_with_it(rig, sandbox):
    create = {"system": "crm", "method": "POST", "route": "/api/Contact", "organization": rig.name}
    (fault,) = sandbox.add_faults({"kind": "error", "status": 422, **create})
    assert rig.whole_night().report["dead_lettered"] == 3
    sandbox.remove_fault(fault)
    letter = rig.hub.dead_letters.list(rig.name)[0]
    assert rig.hub.dead_letters.replay(letter, rig.clock.now())
    rig.deliver()
    assert rig.hub.states(rig.name)["pending"] == 1
    assert rig.hub.overview.due_work(rig.clock.now()) == []

    rig.clock.advance(24 * 3600)
    night = rig.whole_night(1)
    assert (night.report["taken_over"], night.report["applied"], night.report["deferred"]) == (1, 1, 0)


def test_a_probe_path_that_is_not_there_is_unsupported_and_the_night_goes_on(timed, clock, organization):
    rig = NightRig(timed, clock, timed.onboard(organization(users=1), create="direct", probe_path="/api/Health"))
    night = rig.whole_night()

    assert night.probes[System.DESTINATION].finding is Finding.UNSUPPORTED
    assert (night.state, night.report["applied"]) == (NightState.COMPLETED, 1)


def test_a_default_probe_path_that_is_not_there_is_refused(rig, sandbox):
    sandbox.add_faults({"kind": "error", "status": 404, "system": "crm", "organization": rig.name})
    night = rig.whole_night()

    assert night.reason.startswith("destination probe: refused: ")


def test_a_dead_letter_is_in_the_report_without_anything_personal(rig, sandbox):
    sandbox.create_user(rig.name, last_name="")
    night = rig.whole_night()

    (failure,) = night.report["failures"]
    assert failure.keys() == {"resource", "source_id", "stage", "reason"}
    assert (night.report["dead_lettered"], night.report["failure_rate"]) == (1, 0.25)
