"""One entity's story in order of time, from the rows that are kept of it. Pure; no value of a record unless asked for.

What is not kept, and so not told: pages that were seen last too long ago, each single time of a page that was read
again without a change, attempts between the first and the newest, and the look-ups of a slice that wrote nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from common.domain.attempts import Attempt
from common.domain.pages import SeenPage
from common.storage.stories import Row, Story

#: The kinds of steps, in the order in which one leads to the next: an answer is there before what it comes to.
ORDER = ("run", "page", "event", "attempt", "write", "outcome", "letter", "link", "review", "deletion", "mirror")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that happened."""

    at: datetime
    #: One of ORDER.
    kind: str
    what: str
    #: Finds the log lines.
    trace_id: str = ""
    run_id: str = ""
    event_id: int | None = None
    #: Personal data: only with `--values`.
    values: Mapping[str, Any] | None = field(default=None)


def steps_of(story: Story, *, with_values: bool) -> list[Step]:
    """The oldest first; of what happened in one moment, in the order in which it is decided."""
    told = [
        *_runs(story),
        *map(_page, story.pages.newest),
        *_events(story, with_values=with_values),
        *_writes(story),
        *_letters(story, with_values=with_values),
    ]
    told += [*_link(story), *_asked(story), *_mirror(story, with_values=with_values)]
    return sorted(told, key=lambda step: (step.at, ORDER.index(step.kind)))


def _runs(story: Story) -> Iterator[Step]:
    for row in story.runs:
        what = f"run of {row['resource']} by {row['origin']}: {row['state']}, {row['read']} read"
        if row["error"]:
            what += f"; {row['error']}"
        yield Step(at=row["started_at"], kind="run", what=what, trace_id=row["trace_id"], run_id=row["run_id"])


def _page(page: SeenPage) -> Step:
    parts = [f"seen on page {page.number} of its run, scan pass {page.scan_pass}, by {page.origin}"]
    parts += [f"scope {page.scope}"] if page.scope else []
    parts += [f"at {page.address}" if page.address else "at the start of the list"]
    again = f"; {page.times} times, the first at {moment(page.first_seen_at)}" if page.times > 1 else ""
    return Step(at=page.seen_at, kind="page", what=", ".join(parts) + again, run_id=page.run_id)


def _events(story: Story, *, with_values: bool) -> Iterator[Step]:
    before: Mapping[str, Any] = {}
    for row in story.events:
        ids = {"trace_id": row["trace_id"], "run_id": row["run_id"], "event_id": row["event_id"]}
        what = (
            f"version {row['version']} detected by {row['origin']}: {row['action']}{_changed(before, row['payload'])}"
        )
        values = row["payload"] if with_values else None
        yield Step(at=row["detected_at"], kind="event", what=what, values=values, **ids)
        for attempt in story.attempts.get(row["event_id"], ()):
            yield _attempt(row, attempt)
        if row["finished_at"] is not None:
            why = f": {row['reason']}" if row["reason"] else ""
            yield Step(
                at=row["finished_at"], kind="outcome", what=f"version {row['version']} {row['state']}{why}", **ids
            )
        before = row["payload"]


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Names alone."""
    names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    return f" ({'changed' if before else 'with'} {', '.join(names)})" if names else ""


def _attempt(row: Row, attempt: Attempt) -> Step:
    parts = [f"attempt {attempt.number} of version {row['version']}: {attempt.verdict}, {attempt.error}"]
    parts += [f"status {attempt.status}"] if attempt.status is not None else []
    parts += [f"field {attempt.field}"] if attempt.field else []
    parts += [attempt.message]
    parts += [f"again at {moment(attempt.retry_at)}"] if attempt.retry_at else []
    parts += [f"customer parked until {moment(attempt.parked_until)}"] if attempt.parked_until else []
    parts += [] if attempt.is_counted else ["not counted"]
    parts += [f"by {attempt.worker}, slice {attempt.slice_id}"]
    return Step(
        at=attempt.at, kind="attempt", what="; ".join(filter(None, parts)), trace_id=attempt.trace_id,
        run_id=row["run_id"], event_id=attempt.event_id,
    )  # fmt: skip


def _writes(story: Story) -> Iterator[Step]:
    traces = {row["event_id"]: row["trace_id"] for row in story.events}
    for row in story.writes:
        ids = {"event_id": row["event_id"], "trace_id": traces.get(row["event_id"], "")}
        named = f"{row['operation']} of version {row['version']} (write {row['write_id']})"
        yield Step(at=row["started_at"], kind="write", what=f"{named} begun", **ids)
        if row["finished_at"] is None:
            what = f"{named} {row['state']}: not known yet, looked for from {moment(row['settles_at'])} on"
            yield Step(at=row["started_at"], kind="write", what=what, **ids)
        else:
            to = f" as {row['destination_id']}" if row["destination_id"] else ""
            yield Step(at=row["finished_at"], kind="write", what=f"{named} {row['state']}{to}", **ids)


def _letters(story: Story, *, with_values: bool) -> Iterator[Step]:
    for row in story.letters:
        ids = {"event_id": row["event_id"], "trace_id": row["trace_id"], "run_id": row["run_id"]}
        said = [row["reason"], row["field"], row["message"], "" if row["status"] is None else f"status {row['status']}"]
        named = f"dead letter {row['dead_letter_id']}"
        values = {"detail": row["detail"]} if with_values else None
        what = f"{named} ({row['stage']}): {'; '.join(filter(None, said))}"
        yield Step(at=row["created_at"], kind="letter", what=what, values=values, **ids)
        if row["resolved_at"] is not None:
            why = f": {row['resolution']}" if row["resolution"] else ""
            yield Step(at=row["resolved_at"], kind="letter", what=f"{named} {row['state']}{why}", **ids)


def _link(story: Story) -> Iterator[Step]:
    row = story.link
    if row is None:
        return
    how = f", by {row['details']['rung']}" if row["details"].get("rung") else ""
    to = f"linked to {row['destination_id']}"
    yield Step(at=row["created_at"], kind="link", what=f"{to}{how}")
    believed = "" if row["applied_hash"] else "; what it holds there is doubted"
    yield Step(at=row["updated_at"], kind="link", what=f"{to}: version {row['applied_version']} is there{believed}")


def _asked(story: Story) -> Iterator[Step]:
    """What waits, or waited, for a person."""
    review, held = story.review, story.deletion
    if review is not None:
        yield Step(at=review["created_at"], kind="review", what=f"held for review: {review['reason']}")
        if review["resolved_at"] is not None:
            yield Step(
                at=review["resolved_at"], kind="review", what=f"review {review['state']} {review['decision']}".strip()
            )
    if held is not None:
        ids = {"trace_id": held["trace_id"], "run_id": held["run_id"]}
        yield Step(at=held["held_at"], kind="deletion", what=f"deletion held by the fuse ({held['origin']})", **ids)
        if held["resolved_at"] is not None:
            yield Step(at=held["resolved_at"], kind="deletion", what=f"deletion {held['state']}: {held['why']}", **ids)


def _mirror(story: Story, *, with_values: bool) -> Iterator[Step]:
    row = story.mirror
    if row is None:
        return
    what = (
        f"last seen at the source: version {row['version']}, scan {row['scan_id']}, hash {row['content_hash'] or '-'}"
    )
    yield Step(at=row["seen_at"], kind="mirror", what=what, values=row["body"] if with_values else None)
    if row["deleted_at"] is not None:
        yield Step(at=row["deleted_at"], kind="mirror", what="gone at the source")


def moment(at: datetime | None) -> str:
    """For people: UTC, to the second."""
    return "-" if at is None else f"{at:%Y-%m-%d %H:%M:%S}"
