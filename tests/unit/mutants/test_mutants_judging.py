"""What counts as caught. Nothing is planted or run here: trials are told."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from mutants.judging import Outcome, folders, judge, unsound
from mutants.mutant import Mutant, Stale
from mutants.trials import Failure, Trial, read_report

EXPECTED, OTHER = "tests/unit/a/test_a.py::test_expected", "tests/unit/a/test_b.py::test_other"
MUTANT = Mutant(name="m", promise=1, does="it", file="f.py", old="a", new="b", tests=(EXPECTED,))
ALL_PASS = Trial()


def failing(test, said="assert 1 == 2", *, is_broken=False):
    return Trial(failures=(Failure(test=test, said=said, is_broken=is_broken),))


class Trials:
    """Answers by what was asked for, and whether the bug was planted then."""

    def __init__(self, planted, sound=ALL_PASS):
        self.is_planted = False
        self.asked = []
        self._planted = planted
        self._sound = sound

    @contextmanager
    def planted(self, mutant):
        mutant.mutate("a")
        self.is_planted = True
        yield
        self.is_planted = False

    def __call__(self, _copy, tests, *, to_the_end=False, without=()):
        self.asked.append(tuple(tests))
        if not self.is_planted:
            return self._sound
        found = self._planted.get(tuple(tests), ALL_PASS)
        return ALL_PASS if any(each.test in without for each in found.failures) else found


def judged(trials, mutant=MUTANT, **more):
    return judge(trials, mutant, attempt=trials, **more)


def test_a_bug_is_caught_by_a_test_that_fails_with_it():
    verdict = judged(Trials({(EXPECTED,): failing(EXPECTED)}))

    assert (verdict.outcome, verdict.caught_by, verdict.is_by_another) == (Outcome.CAUGHT, EXPECTED, False)


def test_before_a_bug_has_survived_the_whole_folder_is_tried():
    trials = Trials({})

    assert judged(trials).outcome is Outcome.SURVIVED
    assert trials.asked == [(EXPECTED,), ("tests/unit/a",)]


def test_where_only_the_listed_tests_count_no_folder_is_searched():
    trials = Trials({("tests/unit/a",): failing(OTHER)})

    assert judged(trials, only_listed=True).outcome is Outcome.SURVIVED
    assert trials.asked == [(EXPECTED,)]


def test_a_bug_that_another_test_of_the_folder_catches_is_caught():
    verdict = judged(Trials({("tests/unit/a",): failing(OTHER)}))

    assert (verdict.outcome, verdict.caught_by, verdict.is_by_another) == (Outcome.CAUGHT, OTHER, True)


def test_a_test_of_the_folder_that_fails_without_the_bug_too_has_caught_nothing():
    trials = Trials({("tests/unit/a",): failing(OTHER)}, sound=failing(OTHER))

    assert judged(trials).outcome is Outcome.SURVIVED


def test_a_test_that_fails_without_any_bug_can_catch_none():
    verdict = judged(Trials({(EXPECTED,): failing(EXPECTED)}), fails_anyway=[EXPECTED])

    assert verdict.outcome is Outcome.ERROR
    assert EXPECTED in verdict.said


@pytest.mark.parametrize(
    "trial", [failing(EXPECTED, is_broken=True), Trial(why_void="pytest ended with 4")], ids=["broken", "void"]
)
def test_what_breaks_a_module_or_runs_nothing_is_not_caught(trial):
    assert judged(Trials({(EXPECTED,): trial})).outcome is Outcome.ERROR


def test_a_bug_that_does_not_apply_any_more_is_an_error():
    stale = Mutant(name="m", promise=1, does="it", file="f.py", old="c", new="b", tests=(EXPECTED,))

    assert judged(Trials({}), stale).outcome is Outcome.ERROR


@pytest.mark.parametrize("text", ["nothing", "a a"])
def test_what_a_bug_replaces_occurs_exactly_once(text):
    mutant = Mutant(name="m", promise=1, does="it", file="f.py", old=" a" if text == "a a" else "a b", new="", tests=())
    with pytest.raises(Stale):
        mutant.mutate(f" a {text}")


def test_a_test_that_was_renamed_makes_its_bug_stale(tmp_path):
    (tmp_path / "f.py").write_text("a")
    (tmp_path / "test_a.py").write_text("def test_new(): ...\n")
    mutant = Mutant(name="m", promise=1, does="it", file="f.py", old="a", new="b", tests=("test_a.py::test_old",))
    with pytest.raises(Stale, match="there is no test"):
        mutant.check(tmp_path)


def test_the_control_names_the_tests_whose_cases_fail():
    found = unsound(None, [EXPECTED, OTHER], lambda *_, **__: failing(f"{OTHER}[postgres]", "boom"))

    assert found == {OTHER: "boom"}


def test_each_folder_is_tried_once():
    mutant = Mutant(name="m", promise=1, does="", file="", old="", new="", tests=(EXPECTED, OTHER, "tests/b/t.py"))

    assert folders(mutant) == ["tests/unit/a", "tests/b"]


@pytest.mark.parametrize(
    ("tag", "message", "is_broken"),
    [
        ("failure", "assert 1 == 2", False),
        ("failure", "common.domain.errors.LockLost: lost", False),
        ("error", "failed on setup with &quot;ValueError: 1&quot;", False),
        ("error", "collection failure", True),
        ("failure", "NameError: name 'x' is not defined", True),
        ("error", "failed on setup with &quot;ImportError: no x&quot;", True),
    ],
)
def test_a_report_tells_a_failure_from_a_module_that_is_broken(tag, message, is_broken):
    case = f'<testcase classname="t.a" name="test_x[1]" file="t/a.py"><{tag} message="{message}"/></testcase>'
    (failure,) = read_report(f'<testsuites><testsuite><testcase name="fine"/>{case}</testsuite></testsuites>')

    assert (failure.test, failure.is_broken) == ("t/a.py::test_x[1]", is_broken)
