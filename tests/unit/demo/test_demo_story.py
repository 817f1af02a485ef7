"""The phases of a demonstration, on a fleet that only takes notes and a clock that only pauses move."""

import io

import pytest
from rich.console import Console

from deploy.audit.report import Report
from deploy.audit.run import judge
from deploy.demo.outcome import last_line, passed
from deploy.demo.plan import plan_customers
from deploy.demo.progress import Progress
from deploy.demo.story import CALM_SECONDS, Figures, Story
from deploy.demo.watching import Standing, hits, is_level, look


class Stage:
    """Fleet, sandbox and clock in one; `behind` says how many are behind at a moment."""

    def __init__(self, behind=lambda _seconds: 0):
        self.seconds = 0.0
        self.acts = []
        self.behind = behind

    def clock(self):
        return self.seconds

    def pause(self, seconds):
        self.seconds += seconds

    def _act(self, what):
        self.acts.append((what, round(self.seconds)))

    def kill(self, name):
        self._act(f"kill {name}")

    def flush_redis(self):
        self._act("flush")

    def add_faults(self, *_rules):
        self._act("faults")

    def start_edits(self, **_options):
        self._act("edits")

    def stop_edits(self):
        self._act("no edits")

    def clear_faults(self):
        self._act("no faults")

    def faults(self):
        return [{"kind": "error", "hits": 2}, {"kind": "error", "hits": 1}, {"kind": "latency", "hits": 4}]

    def export(self):
        held = [{}] * self.behind(self.seconds)
        settings = {"volunteer_requests_per_minute": 100, "crm_requests_per_hour": 100, "volunteer_module": True}
        lists = ("projects", "dates", "groups", "forms", "completions", "certificates", "earned", "changes")
        source = {"users": {}, "deleted": [], "history": [], "participations": {}, **{name: [] for name in lists}}
        rows = (
            "opportunities",
            "volunteers",
            "attendances",
            "tags",
            "contact_tags",
            "notes",
            "gifts",
            "transaction_attendances",
        )
        destination = {"contacts": [], "held": held, **{name: [] for name in rows}}
        row = {"canary": "Zq1", "settings": settings, "source": source, "destination": destination}
        return {"organizations": {"alder": row}}


def story(stage, *, edit_seconds=30.0):
    progress = Progress(Console(file=io.StringIO(), width=200), live=False, clock=stage.clock)
    customers = plan_customers(2, seed=7)
    return Story(
        stage, stage, customers, progress, edit_seconds=edit_seconds, seed=7, clock=stage.clock, pause=stage.pause
    )


def said(told):
    return told.progress.console.file.getvalue()


def test_a_worker_is_killed_at_a_third_and_redis_flushed_at_two_thirds_of_the_edits():
    stage = Stage()
    told = story(stage)

    fired = told._disturb()

    assert stage.acts == [
        ("faults", 0), ("edits", 0), ("kill processor2", 10), ("flush", 20), ("no edits", 30), ("no faults", 30),
    ]  # fmt: skip
    assert fired == {"error": 3, "latency": 4}
    assert (told.progress.kills, told.progress.flushes) == (1, 1)


@pytest.mark.parametrize("edit_seconds", [0.5, 1.0, 3.0])
def test_a_short_demonstration_is_disturbed_as_much(edit_seconds):
    told = story(Stage(), edit_seconds=edit_seconds)

    told._disturb()

    assert (told.progress.kills, told.progress.flushes) == (1, 1)


def test_quiet_must_last():
    """Level at 10 s, once more behind at 12 s: that was not it."""
    stage = Stage(behind=lambda seconds: 1 if seconds < 10 or seconds == 12 else 0)

    taken = story(stage)._until_level("quiet", 100, calm_seconds=CALM_SECONDS)

    assert (taken, stage.seconds) == (14, 20)


def test_waiting_has_an_end_and_says_so():
    told = story(Stage(behind=lambda _seconds: 3))

    assert told._until_level("quiet", 20, calm_seconds=0) == 20
    assert not told.level
    assert "quiet: not done after 20 s" in said(told)


def test_plain_lines_come_now_and_then():
    stage = Stage(behind=lambda seconds: 1 if seconds < 60 else 0)
    told = story(stage)

    told._until_level("backfill", 100, calm_seconds=0)

    assert 8 <= said(told).count("1 behind") <= 12


def test_a_live_display_shows_every_customer_and_the_last_notes():
    stage = Stage()
    progress = Progress(Console(file=io.StringIO(), width=120), live=True, clock=stage.clock)
    progress.enter("backfill")
    progress.update({"alder": Standing(source=60, destination=58, behind=2)}, faults=5)
    progress.note("something happened")

    progress.console.print(progress)
    text = progress.console.file.getvalue()

    for part in ("backfill: 60 users, 58 contacts, 2 behind, 5 faults", "alder", "something happened"):
        assert part in text


def test_standings_come_from_the_export():
    stage = Stage(behind=lambda _seconds: 2)

    assert look(stage) == {"alder": Standing(source=0, destination=0, behind=2)}
    assert not is_level(look(stage))
    assert hits(stage) == {"error": 3, "latency": 4}


def outcome(at_rest):
    rows = judged().rows
    report = Report(rows=rows, findings=(), since=None, freshness_p50_seconds=1.5, freshness_p95_seconds=None)
    figures = Figures(
        elapsed_seconds=140.4,
        backfill_seconds=20,
        quiet_seconds=40,
        at_rest=at_rest,
        faults={"error": 3, "latency": 4},
        kills=1,
        flushes=1,
    )
    return report, figures


def judged():
    return judge(Stage().export(), [])


def test_the_last_line_has_verdict_and_numbers():
    line = last_line(*outcome(at_rest=True))

    assert line.startswith("PASS 1 customers")
    assert line.endswith("7 faults, 1 kill, 1 flush, 140 s in all")
    assert passed(*outcome(at_rest=True))


def test_a_fleet_that_never_comes_to_rest_fails_whatever_the_audit_says():
    report, figures = outcome(at_rest=False)

    assert report.passed
    assert not passed(report, figures)
    assert last_line(report, figures).startswith("FAIL the fleet did not come to rest")
