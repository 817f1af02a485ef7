"""A dead letter's event goes back to where it was.

One of stage `apply` becomes pending again and passes the same steps, so that a newer version that has been applied
since supersedes it. If there is a newer event at all, that one stands for it, and it ends here: not even a newer one
that is a dead letter itself may be preceded by what is known to be old. Only what a person has decided against does
not count. One of stage `detect` has no readable payload: its mirror row is forgotten and the checkpoint goes back to
before it, so that the next poll reads the item again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, select, update

from common.domain.events import EventState, Origin
from common.domain.layers import Layer
from common.domain.letters import DeadLetter, LetterState, Stage
from common.domain.runs import RunState
from common.storage.tables import checkpoints, dead_letters, events, mirror, runs


def put_back(
    connection: Connection, letter: DeadLetter, now: datetime, *, resolution: str = "", origin: Origin | None = None
) -> bool:
    """False if the letter was resolved already. `origin`: whose work its event is from now on; None: whose it was."""
    if not resolve(connection, letter, LetterState.REPLAYED, resolution, now):
        return False
    if letter.stage == Stage.DETECT:
        _read_again(connection, letter, now)
    else:
        _apply_again(connection, letter, now, origin)
    return True


def resolve(connection: Connection, letter: DeadLetter, state: LetterState, why: str, now: datetime) -> bool:
    """False if it was resolved already."""
    result = connection.execute(
        update(dead_letters)
        .where(dead_letters.c.customer_id == letter.customer_id)
        .where(dead_letters.c.dead_letter_id == letter.dead_letter_id, dead_letters.c.state == LetterState.OPEN)
        .values(state=state, resolution=why, resolved_at=now)
    )
    return result.rowcount == 1


def set_event(connection: Connection, letter: DeadLetter, **changes: Any) -> None:
    """Of a letter's event, which is not open."""
    connection.execute(
        update(events)
        .where(events.c.customer_id == letter.customer_id, events.c.event_id == letter.event_id)
        .where(events.c.state == EventState.DEAD_LETTERED)
        .values(**changes)
    )


def _apply_again(connection: Connection, letter: DeadLetter, now: datetime, origin: Origin | None) -> None:
    newer = _newer(connection, letter)
    if newer is not None:
        reason = f"by version {newer.version} (event {newer.event_id})"
        set_event(connection, letter, state=EventState.SUPERSEDED, reason=reason, finished_at=now)
        return
    anew = {"attempts": 0, "failures": 0, "defects": 0, "retry_at": now, "finished_at": None, "waits_for": ""}
    whose = {} if origin is None else {"origin": origin}
    set_event(connection, letter, state=EventState.PENDING, reason="", **anew, **whose)


def _newer(connection: Connection, letter: DeadLetter) -> Any:
    """The entity's newest event after this one; None where every event counts."""
    newer = events.alias("newer")
    own = (events.c.customer_id == letter.customer_id, events.c.event_id == letter.event_id, events.c.coalesce)
    same = and_(
        newer.c.customer_id == events.c.customer_id,
        newer.c.resource == events.c.resource,
        newer.c.source_id == events.c.source_id,
        newer.c.version > events.c.version,
        newer.c.state != EventState.DISCARDED,
        newer.c.coalesce,
    )
    query = select(newer.c.version, newer.c.event_id).select_from(events.join(newer, same)).where(*own)
    return connection.execute(query.order_by(newer.c.version.desc()).limit(1)).one_or_none()


def _read_again(connection: Connection, letter: DeadLetter, now: datetime) -> None:
    """The event ends as superseded: reading the item again makes a new one."""
    _start_over(connection, letter, now)
    set_event(connection, letter, state=EventState.SUPERSEDED, reason="read again", finished_at=now)
    # The row stays, for the entity's versions go on; only its hash is forgotten.
    connection.execute(
        update(mirror)
        .where(mirror.c.customer_id == letter.customer_id, mirror.c.resource == letter.resource)
        .where(mirror.c.source_id == letter.source_id)
        .values(content_hash="")
    )


def _start_over(connection: Connection, letter: DeadLetter, now: datetime) -> None:
    """Move the checkpoint to before the item, and fence the run under way: its end would move it forward again.

    The checkpoint's row is locked first, as every page does, so that the two never wait for each other.
    """
    own = (checkpoints.c.customer_id == letter.customer_id, checkpoints.c.resource == letter.resource)
    where = and_(*own, checkpoints.c.layer == Layer.POLL)
    row = connection.execute(select(checkpoints).where(where).with_for_update()).one_or_none()
    if row is None:
        return  # never read, so the first poll reads everything
    since = connection.execute(
        select(events.c.occurred_at).where(
            events.c.customer_id == letter.customer_id, events.c.event_id == letter.event_id
        )
    ).scalar_one()
    # Without a position everything is read anyway.
    position = None if row.position is None else min(row.position, since - timedelta(seconds=1))
    connection.execute(
        update(checkpoints)
        .where(where)
        # What a cursor has passed comes again by reading everything.
        .values(position=position, cursor="", run_id=None, progress=None, continue_at=None, updated_at=now)
    )
    connection.execute(
        update(runs)
        .where(runs.c.customer_id == letter.customer_id, runs.c.run_id == row.run_id)
        .where(runs.c.state.in_((RunState.RUNNING, RunState.CONTINUED)))
        .values(state=RunState.FAILED, finished_at=now, error="replaced: a dead letter is to be read again")
    )
