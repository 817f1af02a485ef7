"""Caught, survived, or an error: what a trial of a bug means, and the control that makes it mean something."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mutants.copies import Copy
from mutants.mutant import Mutant, Stale
from mutants.trials import Failure, Trial, try_tests

#: Tests of a folder that fail in the sound copy too and are left out, before the folder is given up.
MOST_UNSOUND = 5


class Outcome(StrEnum):
    """What became of a bug."""

    CAUGHT = "caught"
    SURVIVED = "SURVIVED"
    ERROR = "ERROR"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Of one bug."""

    mutant: Mutant
    outcome: Outcome
    #: Node id of the test that caught it.
    caught_by: str = ""
    #: What that test said, or what went wrong.
    said: str = ""
    seconds: float = 0.0
    #: None of the tests that were expected to catch it did; another one of their folder was there.
    is_by_another: bool = False


Try = Callable[..., Trial]
#: Who else may catch what its own tests did not.
Search = Callable[[Copy, Mutant, Try], tuple[Outcome, Failure]]


def unsound(copy: Copy, tests: Sequence[str], attempt: Try = try_tests) -> dict[str, str]:
    """The control: which of these tests fail without any bug, and what they say."""
    if not tests:
        return {}
    trial = attempt(copy, tests, to_the_end=True)
    if trial.why_void:
        return dict.fromkeys(tests, trial.why_void)
    return {test: each.said for test in tests for each in trial.failures if _is_of(each.test, test)}


def _is_of(case: str, test: str) -> bool:
    """A case of a test with parameters, or of a file."""
    return case == test or case.startswith((f"{test}[", f"{test}::"))


def judge(
    copy: Copy,
    mutant: Mutant,
    fails_anyway: Iterable[str] = (),
    attempt: Try = try_tests,
    *,
    only_listed: bool = False,
) -> Verdict:
    """Plant it, try its tests, and then the whole folders that they are in before it may be called a survivor.

    `only_listed`: its own tests alone must catch it.
    """
    began = time.monotonic()
    search = _by_nobody if only_listed else _by_folder
    outcome, failure, is_by_another = _judge(copy, mutant, set(fails_anyway), attempt, search)
    return Verdict(
        mutant=mutant,
        outcome=outcome,
        caught_by=failure.test,
        said=failure.said,
        seconds=time.monotonic() - began,
        is_by_another=is_by_another,
    )


def _judge(
    copy: Copy, mutant: Mutant, fails_anyway: set[str], attempt: Try, search: Search
) -> tuple[Outcome, Failure, bool]:
    wrong = sorted(fails_anyway & set(mutant.tests))
    if wrong:
        return Outcome.ERROR, _nothing(f"fails without any bug: {', '.join(wrong)}"), False
    try:
        with copy.planted(mutant):
            listed = _read(attempt(copy, mutant.tests))
    except Stale as error:
        return Outcome.ERROR, _nothing(str(error)), False
    if listed is not None:
        return *listed, False
    return *search(copy, mutant, attempt), True


def _by_nobody(_copy: Copy, _mutant: Mutant, _attempt: Try) -> tuple[Outcome, Failure]:
    return Outcome.SURVIVED, _nothing("")


def _by_folder(copy: Copy, mutant: Mutant, attempt: Try) -> tuple[Outcome, Failure]:
    """A test that fails in the sound copy too has caught nothing."""
    without: list[str] = []
    while len(without) <= MOST_UNSOUND:
        with copy.planted(mutant):
            found = _read(attempt(copy, folders(mutant), without=without))
        if found is None:
            return Outcome.SURVIVED, _nothing("")
        outcome, failure = found
        if outcome is Outcome.ERROR or not unsound(copy, [failure.test], attempt):
            return outcome, failure
        without.append(failure.test)
    return Outcome.ERROR, _nothing(f"too much fails without any bug: {', '.join(without)}")


def _read(trial: Trial) -> tuple[Outcome, Failure] | None:
    """None: all passed."""
    if trial.why_void:
        return Outcome.ERROR, _nothing(trial.why_void)
    broken = next((each for each in trial.failures if each.is_broken), None)
    if broken is not None:
        return Outcome.ERROR, _nothing(f"this is no bug but a broken module: {broken.said}")
    return (Outcome.CAUGHT, trial.failures[0]) if trial.failures else None


def folders(mutant: Mutant) -> Sequence[str]:
    """Each once, in order."""
    return list(dict.fromkeys(test.partition("::")[0].rpartition("/")[0] for test in mutant.tests))


def _nothing(said: str) -> Failure:
    return Failure(test="", said=said, is_broken=False)
