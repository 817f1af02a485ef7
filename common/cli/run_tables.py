"""Runs as tables for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from rich.console import Group, RenderableType

from common.cli.ages import age_seconds, age_text, moment_text
from common.cli.output import make_sheet, make_table
from common.domain.events import EventState
from common.domain.run_history import FailedEvent, ReasonCount, RunOutcome, RunShown
from common.domain.runs import RunReport

#: Characters of an id in a list: of a million runs, one in four thousand shares so much of it with another, and
#: `fleet runs show` then names both.
SHORT_ID = 8
#: Failures named to a person; `--json` has more.
FAILURES_NAMED = 10
#: Columns of a list that are shown always, and those that are shown where one of the runs has any.
NUMBERS: Mapping[str, Callable[[RunReport], int]] = {
    "CALLS": lambda run: run.counts.requests,
    "READ": lambda run: run.counts.read,
    "DETECTED": lambda run: run.counts.detected,
}
RARE: Mapping[str, Callable[[RunReport], int]] = {
    "BROKEN": lambda run: run.counts.broken,
    "GONE": lambda run: run.counts.deleted,
    "HELD": lambda run: run.counts.held,
}
#: What a run counts, as `fleet runs show` names it.
COUNTED: Mapping[str, str] = {
    "read": "read",
    "detected": "detected",
    "unchanged": "unchanged",
    "stale": "older than what we have",
    "broken": "unreadable",
    "deleted": "gone",
    "held": "gone, held for a person",
}
#: A request to the destination carries what several runs have detected, and what one of them shared of it is not kept.
NO_DESTINATION_COST = "not told by run: one request carries several runs' events; see `fleet estimate ID`"


def list_table(runs: Sequence[RunReport], *, with_customer: bool) -> RenderableType:
    numbers = {**NUMBERS, **{name: of for name, of in RARE.items() if any(map(of, runs))}}
    whose = ("CUSTOMER",) if with_customer else ()
    headings = ("RUN", *whose, "STARTED (UTC)", "RESOURCE", "ORIGIN", "STATE", "TOOK")
    table = make_table(*headings, *numbers, right=("TOOK", *numbers))
    table.columns[0].min_width = SHORT_ID
    for run in runs:
        table.add_row(
            run.run_id[:SHORT_ID], *([run.customer_id] if with_customer else []),
            f"{run.started_at.astimezone(UTC):%m-%d %H:%M:%S}", run.resource, run.origin, run.state, _took(run),
            *(str(of(run)) for of in numbers.values()),
        )  # fmt: skip
    errors = [f"{run.run_id[:SHORT_ID]}  {run.error}" for run in runs if run.error]
    return Group(table, *(["", *errors] if errors else []))


def _took(run: RunReport) -> str:
    return age_text(age_seconds(run.started_at, run.finished_at) if run.finished_at else None)


def shown_sheet(shown: RunShown, now: datetime) -> RenderableType:
    """`now`: to say for how long one that is not over has been under way."""
    return Group(*_parts_of(shown, now))


def _parts_of(shown: RunShown, now: datetime) -> Iterator[RenderableType]:
    yield make_sheet(_standing(shown, now))
    yield from ("", _states(shown.outcome))
    if shown.outcome.reasons:
        yield from ("", _reasons(shown.outcome.reasons))
    if shown.outcome.failures:
        yield from ("", _failures(shown.report.customer_id, shown.outcome.failures))
    left = shown.outcome.events[EventState.DEAD_LETTERED] - len(shown.outcome.failures[:FAILURES_NAMED])
    if left > 0:
        yield f"{left} more: `fleet dlq list {shown.report.customer_id}`"


def _standing(shown: RunShown, now: datetime) -> dict[str, str]:
    report, counts = shown.report, shown.report.counts
    return {
        "run": report.run_id,
        "customer": report.customer_id,
        "resource": report.resource,
        "origin": report.origin,
        "state": report.state,
        **({"says": report.error} if report.error else {}),
        "started": moment_text(report.started_at),
        "ended": moment_text(report.finished_at),
        "took": age_text(age_seconds(report.started_at, report.finished_at or now)),
        "trace": shown.trace_id,
        "requests to the source": f"{counts.requests}, of which {counts.pages} gave a page",
        "requests to the destination": NO_DESTINATION_COST.replace("ID", report.customer_id),
        **{words: str(getattr(counts, name)) for name, words in COUNTED.items()},
        "published": _published(shown),
    }


def _published(shown: RunShown) -> str:
    """Every event is committed with its page, and so published; more of them were made to write something again."""
    detected, total = shown.report.counts.detected + shown.report.counts.deleted, shown.outcome.total
    more = f", and {total - detected} since, to write again what was in doubt" if total > detected else ""
    return f"{min(total, detected)} events{more}"


def _states(outcome: RunOutcome) -> RenderableType:
    table = make_table("STATE", "EVENTS", right=("EVENTS",))
    for state, count in outcome.events.items():
        table.add_row(state, str(count))
    return table


def _reasons(reasons: Sequence[ReasonCount]) -> RenderableType:
    table = make_table("EVENTS", "STATE", "REASON", right=("EVENTS",))
    table.columns[-1].no_wrap, table.columns[-1].overflow = False, "fold"
    for each in reasons:
        table.add_row(str(each.events), each.state, each.reason)
    return table


def _failures(customer_id: str, failures: Sequence[FailedEvent]) -> str:
    """Lines and no table, which would shorten the command."""
    lines = []
    for each in failures[:FAILURES_NAMED]:
        what = f"{each.resource}/{each.source_id}  {each.stage}: {each.reason}{f', {each.field}' if each.field else ''}"
        lines += [what, f"    fleet dlq show {customer_id} {each.dead_letter_id}"]
    return "\n".join(lines)
