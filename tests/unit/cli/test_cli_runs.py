from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from support.builders import NOW, after

from common.cli.failures import CommandFailed
from common.cli.moments import since
from common.cli.output import make_console
from common.cli.run_tables import FAILURES_NAMED, list_table, shown_sheet
from common.domain.events import EventState
from common.domain.run_history import FailedEvent, RunOutcome, RunShown
from common.domain.runs import RunCounts, RunReport, RunState


def a_report(run_id="4f6c1d2e3b4a5968", *, error="", finished_at=None, **counts):
    return RunReport(
        customer_id="acme", run_id=run_id, resource="users", origin="poll", state=RunState.COMPLETED, started_at=NOW,
        finished_at=finished_at, counts=RunCounts(**counts), error=error,
    )  # fmt: skip


def a_shown(report=None, *, failures=(), **states):
    events = {state: states.get(state.value, 0) for state in EventState}
    outcome = RunOutcome(events=events, failures=failures)
    return RunShown(report=report or a_report(), trace_id="t1", outcome=outcome)


@pytest.fixture
def printed(capsys):
    def text(renderable):
        make_console().print(renderable)
        return capsys.readouterr().out

    return text


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90m", NOW - timedelta(minutes=90)),
        ("24h", NOW - timedelta(hours=24)),
        ("7d", NOW - timedelta(days=7)),
        ("30s", NOW - timedelta(seconds=30)),
        ("2026-01-31T06:00", datetime(2026, 1, 31, 6, tzinfo=UTC)),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T06:00+02:00", datetime(2026, 1, 31, 6, tzinfo=timezone(timedelta(hours=2)))),
    ],
)
def test_a_moment_is_an_age_or_an_iso_time(text, moment):
    assert since(text, NOW) == moment
    assert since(text, NOW).tzinfo is not None


@pytest.mark.parametrize("text", ["noon", "", "5w", "-3h", "999999d", "h"])
def test_what_is_no_moment_is_refused_with_examples(text):
    with pytest.raises(CommandFailed, match="such as 90m, 24h or 7d") as refusal:
        since(text, NOW)

    assert refusal.value.exit_code == 2


def test_a_list_shows_rare_counts_only_where_there_are_any(printed):
    plain = printed(list_table([a_report(read=5)], with_customer=False))
    rare = printed(list_table([a_report(broken=2), a_report(deleted=3)], with_customer=False))

    assert not {"BROKEN", "GONE", "HELD", "CUSTOMER"} & set(plain.split())
    assert {"BROKEN", "GONE"} <= set(rare.split())
    assert "HELD" not in rare


def test_a_list_names_each_run_by_what_finds_it_again_with_its_error_below(printed):
    lines = printed(list_table([a_report(error="no pages")], with_customer=True)).splitlines()

    assert "4f6c1d2e " in lines[2]
    assert "acme" in lines[2]
    assert lines[-1].strip() == "4f6c1d2e  no pages"


def test_a_list_for_a_pipe_fits_the_longest_words_of_ours(printed):
    report = a_report(read=100_000, detected=100_000, requests=10_000)
    words = {"resource": "form_completions", "origin": "reconciliation", "state": RunState.CONTINUED}
    longest = replace(report, finished_at=after(60), **words)

    assert "…" not in printed(list_table([longest], with_customer=False))


def test_the_id_that_finds_a_run_again_is_never_shortened(printed):
    longest = {"resource": "form_completions", "origin": "reconciliation", "customer_id": "c" * 60}
    report = replace(a_report(broken=1, deleted=1, held=1), **longest)

    assert "4f6c1d2e " in printed(list_table([report], with_customer=True))


def test_a_run_says_its_cost_at_the_source_and_that_the_destinations_is_not_told(printed):
    text = " ".join(printed(shown_sheet(a_shown(a_report(requests=7, pages=5)), after(30))).split())

    assert "7, of which 5 gave a page" in text
    assert "not told by run" in text
    assert "fleet estimate acme" in text


def test_a_run_that_is_under_way_says_for_how_long(printed):
    lines = [line.split() for line in printed(shown_sheet(a_shown(), after(30))).splitlines()]

    assert ["ended", "-"] in lines
    assert ["took", "30s"] in lines


def test_events_made_to_write_again_are_told_apart_from_what_was_detected(printed):
    report = a_report(detected=3, deleted=1)

    assert "since" not in printed(shown_sheet(a_shown(report, applied=4), NOW))
    assert "4 events, and 2 since" in printed(shown_sheet(a_shown(report, applied=6), NOW))


def test_each_failure_has_the_command_to_look_at_it_and_the_rest_is_counted(printed):
    failures = [
        FailedEvent(
            dead_letter_id=n, resource="users", source_id=f"s{n}", stage="apply", reason="http_422", field="email"
        )
        for n in range(FAILURES_NAMED + 2)
    ]

    text = printed(shown_sheet(a_shown(failures=failures, dead_lettered=40), NOW))

    assert "fleet dlq show acme 0" in text
    assert f"fleet dlq show acme {FAILURES_NAMED}" not in text
    assert "30 more: `fleet dlq list acme`" in text
