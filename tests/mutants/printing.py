"""A table for people, JSON for machines, and a line of progress for each bug."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from rich.console import Console

from common.cli.output import make_table
from mutants.judging import Outcome, Verdict
from mutants.mutant import Mutant

#: Columns when standard output is no terminal; names of tests are sentences.
COLUMNS = 180


def progress(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def told(verdict: Verdict) -> str:
    """One line."""
    return f"{verdict.outcome:8} {verdict.mutant.name} ({verdict.seconds:.0f} s) {_by_whom(verdict)}"


def show_list(mutants: Sequence[Mutant]) -> None:
    table = make_table("BUG", "PROMISE", "WHAT IT DOES", "FILE")
    for each in mutants:
        table.add_row(each.name, str(each.promise), each.does, each.file)
    _console().print(table)


def show_verdicts(verdicts: Sequence[Verdict], seconds: float) -> None:
    table = make_table("BUG", "PROMISE", "", "CAUGHT BY", "SECONDS", right=["SECONDS"])
    for each in verdicts:
        table.add_row(
            each.mutant.name, str(each.mutant.promise), each.outcome, _by_whom(each), f"{each.seconds:.0f}"
        )  # fmt: skip
    console = _console()
    console.print(table)
    console.print(f"caught {_count(verdicts)}/{len(verdicts)} in {seconds:.0f} s", style="bold")


def show_json(verdicts: Sequence[Verdict], seconds: float) -> None:
    document = {
        "caught": _count(verdicts),
        "total": len(verdicts),
        "seconds": round(seconds, 1),
        "mutants": [_as_json(each) for each in verdicts],
    }
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


def _as_json(verdict: Verdict) -> dict[str, object]:
    mutant = verdict.mutant
    return {
        "name": mutant.name,
        "promise": mutant.promise,
        "does": mutant.does,
        "file": mutant.file,
        "outcome": verdict.outcome,
        "caught_by": verdict.caught_by,
        "by_another_test": verdict.is_by_another,
        "said": verdict.said,
        "seconds": round(verdict.seconds, 1),
    }


def _by_whom(verdict: Verdict) -> str:
    if verdict.outcome is not Outcome.CAUGHT:
        return verdict.said
    path, _, name = verdict.caught_by.partition("::")
    where = path.removeprefix("tests/").rpartition("/")[0]
    return f"{where}: {name}{' (not one of those expected)' if verdict.is_by_another else ''}"


def _count(verdicts: Sequence[Verdict]) -> int:
    return sum(each.outcome is Outcome.CAUGHT for each in verdicts)


def _console() -> Console:
    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else COLUMNS, highlight=False, markup=False)
