"""What a night needs next: one line of the table each."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from support.builders import NOW, after

from common.domain.breakers import Breaker, BreakerState, blocked
from common.domain.customers import System
from common.domain.errors import BacklogFull, BreakerOpen, BudgetExhausted, RateLimited, SystemUnavailable
from common.domain.night_reports import NightReport, applied_through
from common.domain.night_steps import APPLYING_SHARE, LOOK_SECONDS, Act, Step, Truth, decide
from common.domain.nights import Finding, Night, NightState, Phase, Probe, is_rate_pause

DEADLINE = after(6 * 3600)
OPENED = Breaker(state=BreakerState.OPEN, reason="GET /users: 503", probe_at=after(60))
SOURCE, DESTINATION = System.SOURCE, System.DESTINATION


def probe(finding=Finding.REACHABLE, said=""):
    return Probe(finding=finding, at=NOW, said=said)


def a_night(phase=Phase.PREREQUISITES, **changes):
    base = {
        "customer_id": "acme", "night_date": date(2026, 1, 1), "claimed_at": NOW, "next_step_at": NOW, "phase": phase,
        "started_at": NOW, "deadline_at": DEADLINE, "probes": {}, "report": {},
    }  # fmt: skip
    return Night(**{**base, **changes})


def reached(**changes):
    return a_night(probes={SOURCE: probe(), DESTINATION: probe(Finding.UNSUPPORTED)}, **changes)


def failed(reason):
    return Step(act=Act.END, verdict=NightState.FAILED, reason=reason)


def wait(until):
    return Step(act=Act.WAIT, until=until)


ENDED_WELL = Step(act=Act.END, verdict=NightState.COMPLETED)
SOON = after(LOOK_SECONDS)
AT = {phase: a_night(phase) for phase in Phase}
WORK = Truth(has_work=True)
READS_ON = Truth(unread=("users",), has_read_on=True)
GOES_ON = Step(act=Act.END, verdict=NightState.COMPLETED, reason="source: time: the reading goes on next night: users")
LAST_THIRD = DEADLINE - APPLYING_SHARE * timedelta(hours=6)
IN_VAIN = "POST /api/Contact: 503"
NOTHING = "destination reachability: nothing could be applied: "

CASES = {
    "nobody has taken it up": (a_night(started_at=None, deadline_at=None), Truth(), NOW, Step(act=Act.START)),
    "it is continuous now": (
        AT[Phase.READ], Truth(is_nightly=False), NOW,
        Step(act=Act.END, verdict=NightState.ABANDONED, reason="the customer is continuous now"),
    ),
    "paused": (a_night(), Truth(paused="by hand"), NOW, failed("customer: paused: by hand")),
    "no token": (
        a_night(), Truth(tokens={SOURCE}), NOW,
        failed("destination token: missing; give it with `fleet customers token`"),
    ),
    "a token is rejected": (
        a_night(), Truth(breakers={SOURCE: blocked("401")}), NOW, failed("source token: rejected: 401"),
    ),
    "settings are refused": (
        a_night(probes={DESTINATION: probe(Finding.REFUSED, "404")}), Truth(), NOW,
        failed("destination probe: refused: 404"),
    ),
    "a breaker is open": (a_night(), Truth(breakers={SOURCE: OPENED}), NOW, wait(after(60))),
    "a breaker may be probed": (
        reached(), Truth(breakers={DESTINATION: OPENED}), after(60), Step(act=Act.PROBE, system=DESTINATION),
    ),
    "a breaker is open at the deadline": (
        reached(), Truth(breakers={SOURCE: OPENED}), DEADLINE, failed("source breaker: open: GET /users: 503"),
    ),
    "parked": (a_night(), Truth(parked_until=after(90)), NOW, wait(after(90))),
    "parked until after the deadline": (
        a_night(), Truth(parked_until=DEADLINE + timedelta(hours=1)), NOW, wait(DEADLINE),
    ),
    "nobody was asked": (a_night(), Truth(), NOW, Step(act=Act.PROBE, system=SOURCE)),
    "the source is there": (
        a_night(probes={SOURCE: probe()}), Truth(), NOW, Step(act=Act.PROBE, system=DESTINATION),
    ),
    "the source is not there": (
        a_night(probes={SOURCE: probe(Finding.UNREACHABLE)}), Truth(), NOW, Step(act=Act.PROBE, system=SOURCE),
    ),
    "it never was": (
        a_night(probes={SOURCE: probe(Finding.UNREACHABLE, "refused connection")}), Truth(), DEADLINE,
        failed("source reachability: refused connection"),
    ),
    "nobody has answered for the destination": (
        a_night(probes={SOURCE: probe()}), Truth(), DEADLINE,
        failed("destination reachability: the probe was not answered"),
    ),
    "both are there, one without a probe": (reached(), Truth(), NOW, Step(act=Act.READ)),
    "unread, and nobody is at it": (
        AT[Phase.READ], Truth(unread=("users", "groups"), idle=("groups",)), NOW,
        Step(act=Act.ASK, resources=("groups",)),
    ),
    "unread": (AT[Phase.READ], Truth(unread=("users",)), NOW, wait(SOON)),
    "unread, while it is paused": (
        AT[Phase.READ], Truth(unread=("users",), idle=("users",), paused="p"), NOW, wait(SOON),
    ),
    "unread at the deadline": (
        AT[Phase.READ], Truth(unread=("users",), idle=("users",)), DEADLINE,
        failed("source: time: not all was read by the deadline: users"),
    ),
    "unread at the deadline, for the source is away": (
        AT[Phase.READ], Truth(unread=("users",), breakers={SOURCE: OPENED}), DEADLINE,
        failed("source breaker: open: GET /users: 503: not all was read by the deadline: users"),
    ),
    "unread, and it was read on, before the last third": (
        AT[Phase.READ], READS_ON, LAST_THIRD - timedelta(seconds=1),
        wait(LAST_THIRD + timedelta(seconds=LOOK_SECONDS - 1)),
    ),
    "unread, and it was read on, in the last third": (AT[Phase.READ], READS_ON, LAST_THIRD, Step(act=Act.APPLY)),
    "unread, and it was read on, at the deadline": (AT[Phase.READ], READS_ON, DEADLINE, Step(act=Act.APPLY)),
    "unread, and it was not read on, in the last third": (
        AT[Phase.READ], Truth(unread=("users",)), LAST_THIRD, wait(LAST_THIRD + timedelta(seconds=LOOK_SECONDS)),
    ),
    "the token is rejected while it reads": (
        AT[Phase.READ], Truth(unread=("users",), breakers={SOURCE: blocked("401")}), NOW,
        failed("source token: rejected: 401"),
    ),
    "all is read": (AT[Phase.READ], Truth(), DEADLINE, Step(act=Act.APPLY)),
    "there is work": (AT[Phase.APPLY], WORK, NOW, wait(SOON)),
    "there is no work": (AT[Phase.APPLY], Truth(), NOW, ENDED_WELL),
    "work at the deadline": (AT[Phase.APPLY], WORK, DEADLINE, ENDED_WELL),
    "work at the deadline, for the destination is away": (
        AT[Phase.APPLY], Truth(has_work=True, breakers={DESTINATION: OPENED}), DEADLINE,
        failed("destination breaker: open: GET /users: 503"),
    ),
    "the destination is away at the deadline, after it has taken a part": (
        AT[Phase.APPLY], Truth(has_work=True, has_applied=True, outage=IN_VAIN, breakers={DESTINATION: OPENED}),
        DEADLINE, ENDED_WELL,
    ),
    "the destination was away for the whole window, and the breaker saw little of it": (
        AT[Phase.APPLY], Truth(has_work=True, outage=IN_VAIN), DEADLINE, failed(NOTHING + IN_VAIN),
    ),
    "what was tried in vain is not due before the deadline": (
        AT[Phase.APPLY], Truth(outage=IN_VAIN), DEADLINE - timedelta(seconds=1), failed(NOTHING + IN_VAIN),
    ),
    "it could not even be looked at": (
        AT[Phase.APPLY], Truth(has_work=True, breakers={DESTINATION: Breaker(failures=2, reason="GET /: timeout")}),
        DEADLINE, failed(NOTHING + "GET /: timeout"),
    ),
    "it is away, and nobody wanted anything of it": (
        AT[Phase.APPLY], Truth(breakers={DESTINATION: OPENED}), NOW, ENDED_WELL,
    ),
    "parked beyond the deadline, for the destination is away": (
        AT[Phase.APPLY], Truth(has_work=True, parked_until=DEADLINE, breakers={DESTINATION: OPENED}), NOW,
        failed("destination breaker: open: GET /users: 503"),
    ),
    "what is read is applied, and the reading goes on": (AT[Phase.APPLY], READS_ON, NOW, GOES_ON),
    "the reading goes on, and a run has failed": (
        AT[Phase.APPLY], Truth(unread=("users",), failed=("groups",)), NOW,
        failed("source: the runs of groups failed; see `fleet runs list`"),
    ),
    "the destination was away, and the reading would go on": (
        AT[Phase.APPLY], Truth(unread=("users",), has_work=True, outage=IN_VAIN), DEADLINE, failed(NOTHING + IN_VAIN),
    ),
    "work at the deadline, for a person has paused it": (
        AT[Phase.APPLY], Truth(has_work=True, paused="by hand"), DEADLINE, failed("customer: paused: by hand"),
    ),
    "parked beyond the deadline": (AT[Phase.APPLY], Truth(has_work=True, parked_until=DEADLINE), NOW, ENDED_WELL),
    "the token is rejected while it applies": (
        AT[Phase.APPLY], Truth(has_work=True, breakers={DESTINATION: blocked("401")}), NOW,
        failed("destination token: rejected: 401"),
    ),
    "a run has failed": (
        AT[Phase.APPLY], Truth(failed=("users",)), NOW,
        failed("source: the runs of users failed; see `fleet runs list`"),
    ),
    "the end is decided": (AT[Phase.REPORT], Truth(is_nightly=False), NOW, Step(act=Act.FINISH)),
}  # fmt: skip


@pytest.mark.parametrize(("night", "truth", "now", "step"), CASES.values(), ids=CASES)
def test_a_night_takes_the_step_of_the_table(night, truth, now, step):
    assert decide(night, truth, now) == step


@pytest.mark.parametrize("phase", Phase)
def test_no_phase_outlives_its_deadline(phase):
    truth = Truth(unread=("users",) if phase is Phase.READ else (), idle=("users",), has_work=True)

    assert decide(a_night(phase), truth, DEADLINE).act in (Act.END, Act.FINISH)


@pytest.mark.parametrize("phase", Phase)
def test_no_night_waits_beyond_its_deadline(phase):
    late = Truth(unread=("users",), has_work=True, breakers={SOURCE: OPENED})
    step = decide(a_night(phase), late, DEADLINE - timedelta(seconds=1))

    assert step.until is None or step.until <= DEADLINE


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (RateLimited("429", until=NOW), True),
        (BudgetExhausted("used up", until=NOW), True),
        (BreakerOpen("in trouble", until=NOW), False),
        (BacklogFull("too many", until=NOW), False),
        (SystemUnavailable("503", sent=True), False),
    ],
)
def test_a_budget_and_a_429_are_pauses_and_an_outage_and_a_backlog_are_not(error, counts):
    assert is_rate_pause(error) is counts


def test_a_failure_rate_is_of_all_that_ended_and_not_of_successes():
    assert NightReport(dead_lettered=5, applied=90, skipped=5, checkpoints={}).failure_rate == 0.05
    assert NightReport(dead_lettered=3, checkpoints={}).failure_rate == 1.0
    assert NightReport(checkpoints={}).failure_rate == 0.0


@pytest.mark.parametrize(
    ("checkpoint", "oldest_open", "through"),
    [(NOW, None, NOW), (NOW, after(-60), after(-60)), (NOW, after(60), NOW), (None, NOW, None), (None, None, None)],
)
def test_applied_through_ends_before_the_oldest_change_that_is_open(checkpoint, oldest_open, through):
    assert applied_through(checkpoint, oldest_open) == through
