"""`fleet dlq discard`: close dead letters for good, with a reason that stays."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated

import typer

from common.cli.bootstrap import open_parts
from common.cli.failures import CommandFailed
from common.cli.letter_choice import Every, Numbers, Reason, Resource, Since, Yes, chosen, filtered
from common.cli.options import AsJson, CustomerId, DryRun, operator
from common.cli.output import note, show
from common.domain.letters import DeadLetter


def discard(
    customer_id: CustomerId,
    why: Annotated[str, typer.Option(help="For whoever wonders later.", show_default=False)],
    letters: Numbers = None,
    every: Every = False,
    reason: Reason = None,
    resource: Resource = None,
    since: Since = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Close dead letters for good: their events end as discarded. What a filter finds is shown and asked for first."""
    with open_parts() as parts:
        now = parts.clock.now()
        which = filtered(customer_id, reason, resource, since, now)
        found = chosen(parts, customer_id, letters, which, every=every)
        numbers = [letter.dead_letter_id for letter in found]
        if found and not dry_run and not letters and not yes:
            confirm(f"{_summary(found)} would be discarded")
        if not dry_run:
            numbers = list(parts.dead_letters.discard(customer_id, numbers, why=why, actor=operator(), now=now))
            _tell_of_others(found, numbers)
    words = f"{'would be ' if dry_run else ''}discarded: {', '.join(map(str, numbers)) or 'none'}"
    show({"discarded": numbers, "dry_run": dry_run}, as_json=as_json, human=lambda: words)


def _tell_of_others(found: Sequence[DeadLetter], done: Sequence[int]) -> None:
    left = [str(letter.dead_letter_id) for letter in found if letter.dead_letter_id not in set(done)]
    if left:
        note(f"not discarded, for somebody else was closing them: {', '.join(left)}; see `fleet dlq list`")


def confirm(line: str) -> None:
    """Raises CommandFailed if nobody can be asked, or nobody agrees."""
    if not sys.stdin.isatty():
        raise CommandFailed("nobody can be asked here: add --yes, or look first with --dry-run", exit_code=2)
    note(line)
    if typer.prompt("Type yes to go on", err=True) != "yes":
        raise CommandFailed("nothing was changed")


def _summary(letters: Sequence[DeadLetter]) -> str:
    counts: dict[str, int] = defaultdict(int)
    for letter in letters:
        counts[f"{letter.resource} {letter.reason}"] += 1
    return f"{len(letters)} dead letters ({', '.join(f'{n} {name}' for name, n in counts.items())})"
