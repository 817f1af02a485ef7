"""One entity's story: in order of time, without personal data unless asked for, and what comes next."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from support.builders import NOW, a_customer, after, an_attempt, an_entity

from common.cli.coming import Around, next_of
from common.cli.pages import sightings_of, told_of
from common.cli.story import steps_of
from common.domain.breakers import Breaker, BreakerState
from common.domain.customers import CustomerStatus, Mode, System
from common.domain.pages import SeenPage, SeenPages
from common.storage.stories import Story

BODY = {"first_name": "Fenmar", "phone": "555-1"}
EVENT = {
    "event_id": 7, "version": 1, "action": "upsert", "payload": BODY, "origin": "poll", "run_id": "r1",
    "trace_id": "t1", "state": "applied", "reason": "", "attempts": 0, "failures": 0, "detected_at": after(1),
    "retry_at": after(1), "finished_at": after(9), "waits_for": "",
}  # fmt: skip
PENDING = {**EVENT, "state": "pending", "finished_at": None}
WRITE = {
    "write_id": "w1", "event_id": 7, "version": 1, "operation": "create", "state": "applied", "destination_id": "d5",
    "started_at": after(8), "settles_at": after(60), "finished_at": after(9),
}  # fmt: skip
LETTER = {
    "dead_letter_id": 3, "event_id": 7, "stage": "apply", "reason": "http_422", "field": "email", "message": "refused",
    "status": 422, "detail": "Fenmar was refused", "state": "open", "resolution": "", "created_at": after(9),
    "resolved_at": None, "run_id": "r1", "trace_id": "t1",
}  # fmt: skip
RUN = {
    "run_id": "r1", "resource": "users", "origin": "poll", "state": "completed", "read": 4, "error": "",
    "trace_id": "t1", "started_at": NOW,
}  # fmt: skip
MIRROR = {
    "version": 1, "scan_id": "s1", "content_hash": "h", "seen_at": after(30), "deleted_at": None, "body": BODY,
}  # fmt: skip
LINK = {
    "destination_id": "d5", "details": {"rung": "email"}, "applied_version": 1, "applied_hash": "h",
    "created_at": after(9), "updated_at": after(10),
}  # fmt: skip


def a_seen_page(**changes):
    base = {
        "run_id": "r1", "number": 3, "scan_pass": 1, "origin": "poll", "scope": "", "address": "/v1/users?page=3",
        "first_seen_at": after(1), "seen_at": after(1), "times": 1,
    }  # fmt: skip
    return SeenPage(**{**base, **changes})


def pages_line(**known):
    return told_of(sightings_of(SeenPages(**known), now=after(100), kept_for=timedelta(seconds=60)), "users")


def a_story(**changes):
    nothing = {
        "mirror": None, "events": [], "left_out": 0, "attempts": {}, "writes": [], "letters": [], "runs": [],
        "link": None, "review": None, "deletion": None,
    }  # fmt: skip
    return Story(entity=an_entity(), **{**nothing, **changes})


def around(**changes):
    breakers = changes.pop("breakers", {})
    return Around(customer=a_customer(**changes), breakers=breakers, now=after(20))


def coming(*events, **changes):
    return next_of(a_story(events=list(events), **changes), around())


def test_all_that_happened_is_told_in_order_of_time_with_its_trace():
    tried = an_attempt(7, at=after(5), number=1, retry_at=after(7), trace_id="t1")
    story = a_story(
        events=[EVENT], attempts={7: [tried]}, writes=[WRITE], letters=[LETTER], runs=[RUN], mirror=MIRROR, link=LINK
    )

    steps = steps_of(story, with_values=False)

    kinds = [step.kind for step in steps]
    assert kinds == ["run", "event", "attempt", "write", "write", "outcome", "letter", "link", "link", "mirror"]
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    assert {step.trace_id for step in steps if step.kind not in ("link", "mirror")} == {"t1"}
    attempt = steps[2].what
    assert "attempt 1 of version 1: retry, SystemUnavailable; status 503" in attempt
    assert "again at 2026-01-01 12:00:07; not counted; by host:1, slice s1" in attempt


def test_no_value_is_told_unless_it_is_asked_for():
    story = a_story(events=[EVENT], letters=[LETTER], mirror=MIRROR)

    masked, shown = (str(steps_of(story, with_values=wanted)) for wanted in (False, True))

    assert "Fenmar" not in masked
    assert "555-1" not in masked
    assert shown.count("Fenmar") == 3, "the event's, the mirror's, and what the destination said"


def test_a_newer_version_names_the_fields_that_changed():
    newer = {**EVENT, "event_id": 8, "version": 2, "payload": {**BODY, "phone": "555-2"}, "detected_at": after(12)}
    told = [step.what for step in steps_of(a_story(events=[EVENT, newer]), with_values=False) if step.kind == "event"]

    assert told == [
        "version 1 detected by poll: upsert (with first_name, phone)",
        "version 2 detected by poll: upsert (changed phone)",
    ]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "version 1 is due: the next slice of its customer takes it"),
        ({"retry_at": after(90), "reason": "budget"}, "version 1 waits until 2026-01-01 12:01:30: budget"),
        (
            {"retry_at": after(90), "failures": 5, "attempts": 4, "reason": "500"},
            "version 1 is tried again at 2026-01-01 12:01:30 (4 of 90 tries counted, 5 failed requests): 500",
        ),
        (
            {"retry_at": after(90), "waits_for": "users/17"},
            "version 1: parent users/17 is not applied yet; asked again when it is, or at 2026-01-01 12:01:30",
        ),
        (
            {"retry_at": after(90), "waits_for": "newer"},
            "version 1 waits as it should, until 2026-01-01 12:01:30 or a newer version",
        ),
    ],
)
def test_what_is_pending_says_what_it_waits_for_and_until_when(changes, line):
    assert coming({**PENDING, **changes}) == [line]


def test_a_successor_waits_for_the_version_that_is_in_retry():
    newer = {**PENDING, "event_id": 8, "version": 2}

    assert coming({**PENDING, "retry_at": after(90)}, newer)[1] == "version 2 waits for version 1"
    assert "version 2 is due" in coming({**PENDING, "retry_at": after(90), "waits_for": "newer"}, newer)[1]


def test_where_nothing_is_pending_a_letter_and_a_decision_are_what_is_left():
    assert coming(EVENT) == ["nothing is pending: the next change at the source makes an event"]
    letter = "dead letter 3 waits for a person: see `fleet dlq show acme 3`"
    assert coming({**EVENT, "state": "dead_lettered"}, letters=[LETTER]) == [letter]
    review = {"state": "open", "reason": "two fit", "decision": ""}
    assert coming(PENDING, review=review)[0].endswith("`fleet matches show acme users/1`")


@pytest.mark.parametrize(
    ("changes", "begins"),
    [
        ({"status": CustomerStatus.PAUSED, "status_reason": "by hand"}, "customer is paused: by hand"),
        ({"parked_until": after(99), "parked_reason": "429"}, "customer is parked until 2026-01-01 12:01:39: 429"),
        ({"mode": Mode.NIGHTLY}, "customer is nightly"),
        (
            {"breakers": {System.DESTINATION: Breaker(state=BreakerState.OPEN, probe_at=after(50), reason="503")}},
            "the destination is in trouble and is tried again at 2026-01-01 12:00:50: 503",
        ),
        (
            {"breakers": {System.DESTINATION: Breaker(state=BreakerState.BLOCKED, reason="401")}},
            "the destination is blocked until its token is verified: 401",
        ),
    ],
)
def test_what_holds_up_the_whole_customer_is_said_first(changes, begins):
    told = next_of(a_story(events=[PENDING]), around(**changes))

    assert told[0].startswith(begins)
    assert len(told) == 2


def test_a_write_without_an_outcome_says_when_it_is_looked_for():
    unknown = {**WRITE, "state": "unknown", "finished_at": None}

    assert coming(PENDING, writes=[unknown])[0] == (
        "version 1: its create is unknown, looked for from 2026-01-01 12:01:00 on"
    )
    told = steps_of(replace(a_story(writes=[unknown]), events=[PENDING]), with_values=False)
    assert told[-1].what.endswith("not known yet, looked for from 2026-01-01 12:01:00 on")


def test_each_page_it_was_seen_on_is_a_step_of_its_run_before_what_was_detected_on_it():
    again = a_seen_page(number=7, scope="group/17", address="", seen_at=after(60), times=4, run_id="r9")
    story = a_story(events=[PENDING], runs=[RUN], pages=SeenPages(newest=[again, a_seen_page()], kept=9))

    steps, often = steps_of(story, with_values=False), "4 times, the first at 2026-01-01 12:00:01"

    assert [step.kind for step in steps] == ["run", "page", "event", "page"]
    assert [(step.run_id, step.what) for step in steps if step.kind == "page"] == [
        ("r1", "seen on page 3 of its run, scan pass 1, by poll, at /v1/users?page=3"),
        (
            "r9",
            f"seen on page 7 of its run, scan pass 1, by poll, scope group/17, at the start of the list; {often}",
        ),
    ]


@pytest.mark.parametrize(
    ("known", "line"),
    [
        ({}, "none of this customer is kept yet: whether users were read, and showed it, is not known"),
        (
            {"begins_at": NOW},
            "none of users is kept since 2026-01-01 12:00:40: they were not read, or showed nothing at all",
        ),
        (
            {"begins_at": after(50), "kept": 9},
            "it was on none of the 9 of users that are kept since 2026-01-01 12:00:50: they did not show it",
        ),
        (
            {"begins_at": NOW, "kept": 9, "newest": [a_seen_page()]},
            "it was on 1 of the 9 of users that are kept since 2026-01-01 12:00:40",
        ),
        (
            {"begins_at": NOW, "kept": 9, "newest": [a_seen_page()], "left_out": 3},
            "it was on 4 of the 9 of users that are kept since 2026-01-01 12:00:40; 3 older ones are left out",
        ),
    ],
)
def test_not_shown_is_told_from_not_known(known, line):
    assert pages_line(**known) == f"pages: {line}"
