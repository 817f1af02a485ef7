"""`python -m mutants`: plant each bug in a copy of the tree, and see that the suite catches it.

Exit code 1 if one survives, or could not be tried.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

from deploy.local.signals import stop_on_signals
from mutants.catalogue import BY_NAME
from mutants.copies import Copy
from mutants.judging import Outcome, Verdict, judge, unsound
from mutants.mutant import Mutant
from mutants.printing import progress, show_json, show_list, show_verdicts, told

ROOT = Path(__file__).resolve().parents[2]
#: Two cores, and most tests wait for a server now and then.
JOBS = 2
#: As a shell says of what a signal has ended.
INTERRUPTED = 130

Item, Result = TypeVar("Item"), TypeVar("Result")


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    chosen = [BY_NAME[name] for name in options.only or BY_NAME]
    if options.list:
        show_list(chosen)
        return 0
    began, verdicts = time.monotonic(), None
    with stop_on_signals(), _copies(min(options.jobs, len(chosen))) as copies:
        verdicts = _judge_all(copies, chosen, only_listed=options.listed)
    if verdicts is None:
        return INTERRUPTED
    (show_json if options.json else show_verdicts)(verdicts, time.monotonic() - began)
    return 0 if all(each.outcome is Outcome.CAUGHT for each in verdicts) else 1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="mutants", description="Plant bugs, and see that the suite catches them.")
    parser.add_argument("--only", metavar="NAME", action="append", choices=BY_NAME, help="one bug; repeatable")
    parser.add_argument(
        "--listed", action="store_true", help="a bug's own tests must catch it: their folders are not searched"
    )
    parser.add_argument("--list", action="store_true", help="show the bugs, and plant none")
    parser.add_argument("--jobs", metavar="N", type=_jobs, default=JOBS, help="copies at work at a time")
    parser.add_argument("--json", action="store_true", help="verdicts for machines, on standard output")
    return parser.parse_args(arguments)


def _jobs(text: str) -> int:
    """Raises ValueError, which argparse tells."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


@contextmanager
def _copies(count: int) -> Iterator[Sequence[Copy]]:
    with tempfile.TemporaryDirectory(prefix="mutants-") as place:
        yield [Copy(ROOT, Path(place).resolve() / f"copy{number}") for number in range(count)]


def _judge_all(copies: Sequence[Copy], chosen: Sequence[Mutant], *, only_listed: bool) -> Sequence[Verdict]:
    fails_anyway = _control(copies, chosen)
    return _over(copies, chosen, partial(_judge_and_tell, fails_anyway, only_listed=only_listed))


def _control(copies: Sequence[Copy], chosen: Sequence[Mutant]) -> Mapping[str, str]:
    """Each test that is expected to catch something passes where there is nothing to catch."""
    tests = list(dict.fromkeys(test for each in chosen for test in each.tests))
    progress(f"control: {len(tests)} tests without any bug ...")
    portions = [tests[start :: len(copies)] for start in range(len(copies))]
    fails_anyway = {test: said for found in _over(copies, portions, unsound) for test, said in found.items()}
    for test, said in fails_anyway.items():
        progress(f"fails without any bug: {test}: {said}")
    return fails_anyway


def _judge_and_tell(fails_anyway: Mapping[str, str], copy: Copy, mutant: Mutant, *, only_listed: bool) -> Verdict:
    verdict = judge(copy, mutant, fails_anyway, only_listed=only_listed)
    progress(told(verdict))
    return verdict


def _over(
    copies: Sequence[Copy], items: Sequence[Item], work: Callable[[Copy, Item], Result]
) -> Sequence[Result]:  # fmt: skip
    """`work` on each, as many at a time as there are copies; in the order of the items."""
    free: SimpleQueue[Copy] = SimpleQueue()
    for copy in copies:
        free.put(copy)

    def one(item: Item) -> Result:
        copy = free.get()
        try:
            return work(copy, item)
        finally:
            free.put(copy)

    with ThreadPoolExecutor(max_workers=len(copies)) as pool:
        try:
            return list(pool.map(one, items))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for copy in copies:
                copy.is_given_up.set()
            raise


if __name__ == "__main__":
    sys.exit(main())
