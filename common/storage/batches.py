"""Batches of replays in PostgreSQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, and_, case, func, select, update
from sqlalchemy.dialects.postgresql import distinct_on, insert

from common.domain.batches import (
    MAY_BECOME,
    NOTHING_FED,
    Baseline,
    Batch,
    BatchItem,
    BatchState,
    DueBatch,
    Fed,
    NewBatch,
    outcome_of,
    pause_after,
)
from common.domain.customers import CustomerStatus, Lane
from common.domain.errors import CustomerInvalid
from common.domain.events import EventState, Origin
from common.domain.letters import LetterState, Stage
from common.storage.batch_tables import replay_batches, replay_items
from common.storage.dead_letters import letter_of, same_item, with_batch
from common.storage.due import IS_OPEN
from common.storage.putting_back import put_back
from common.storage.tables import audit, customers, dead_letters, events, links

ITEM_OF_LETTER = and_(
    replay_items.c.customer_id == dead_letters.c.customer_id,
    replay_items.c.dead_letter_id == dead_letters.c.dead_letter_id,
)
EVENT_OF_LETTER = and_(events.c.customer_id == dead_letters.c.customer_id, events.c.event_id == dead_letters.c.event_id)


class PostgresBatches:
    """Implements `common.domain.batches.Batches`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(self, new: NewBatch, now: datetime) -> None:
        names = ("customer_id", "name", "actor", "chosen", "overwrites", "portion", "per_minute")
        row = {**{name: getattr(new, name) for name in names}, "state": BatchState.ACTIVE, "created_at": now}
        own = {"customer_id": new.customer_id, "batch": new.name}
        with self._engine.begin() as connection:
            added = insert(replay_batches).values(**row, next_feed_at=now).on_conflict_do_nothing()
            if connection.execute(added.returning(replay_batches.c.name)).one_or_none() is None:
                raise CustomerInvalid(new.customer_id, "--name", f"{new.name!r} is taken; choose another")
            items = [{**own, "dead_letter_id": number, "state": "waiting"} for number in dict.fromkeys(new.numbers)]
            if items:
                connection.execute(insert(replay_items), items)
            _note(connection, new, new.actor, "batch.started", f"{len(items)} dead letters", now)

    def due(self, now: datetime) -> Sequence[DueBatch]:
        query = _ready(now).add_columns(customers.c.lane).order_by(replay_batches.c.next_feed_at)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [DueBatch(customer_id=row.customer_id, name=row.name, lane=Lane(row.lane)) for row in rows]

    def feed(self, customer_id: str, name: str, now: datetime) -> Fed:
        with self._engine.begin() as connection:
            query = _ready(now).where(replay_batches.c.customer_id == customer_id, replay_batches.c.name == name)
            batch = connection.execute(query.with_for_update(of=replay_batches, skip_locked=True)).one_or_none()
            return NOTHING_FED if batch is None else _feed(connection, batch, now)

    def get(self, customer_id: str, name: str) -> Batch | None:
        query = select(replay_batches).filter_by(customer_id=customer_id, name=name)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
            return None if row is None else _batch(connection, row)

    def list(self, customer_id: str | None = None, *, limit: int) -> Sequence[Batch]:
        query = select(replay_batches).order_by(replay_batches.c.created_at.desc(), replay_batches.c.name).limit(limit)
        if customer_id is not None:
            query = query.where(replay_batches.c.customer_id == customer_id)
        with self._engine.connect() as connection:
            return [_batch(connection, row) for row in connection.execute(query).all()]

    def items(self, customer_id: str, name: str) -> Sequence[BatchItem]:
        with self._engine.connect() as connection:
            return _items(connection, customer_id, name)

    def baselines(self, customer_id: str, event_ids: Collection[int]) -> Mapping[int, Baseline]:
        with self._engine.connect() as connection:
            rows = connection.execute(_last_written(customer_id, event_ids)).all()
        return {row.event_id: Baseline(payload=row.payload, version=row.version) for row in rows if not row.overwrites}

    def change(self, customer_id: str, name: str, state: BatchState, *, actor: str, why: str, now: datetime) -> bool:
        values = {"state": state, "finished_at": now if state is BatchState.CANCELLED else None}
        changed = (
            update(replay_batches)
            .where(replay_batches.c.customer_id == customer_id, replay_batches.c.name == name)
            .where(replay_batches.c.state.in_(MAY_BECOME[state]))
            .returning(replay_batches)
        )
        with self._engine.begin() as connection:
            row = connection.execute(changed.values(values)).one_or_none()
            if row is not None:
                _note(connection, row, actor, f"batch.{state}", why, now)
            return row is not None


def _ready(now: datetime) -> Any:
    """Batches that may be fed."""
    free = customers.c.parked_until.is_(None) | (customers.c.parked_until <= now)
    return (
        select(replay_batches)
        .join(customers, customers.c.customer_id == replay_batches.c.customer_id)
        .where(replay_batches.c.state == BatchState.ACTIVE, replay_batches.c.next_feed_at <= now)
        .where(customers.c.status == CustomerStatus.ACTIVE, customers.c.applying_paused == "", free)
    )


def _feed(connection: Connection, batch: Any, now: datetime) -> Fed:
    """The batch's row is locked."""
    on_the_way = _on_the_way(connection, batch)
    rows = _portion(connection, batch, max(0, batch.portion - on_the_way))
    fed = [row for row in rows if _put_back(connection, batch, row, now)]
    is_completed = not rows and not on_the_way and not _has_waiting(connection, batch)
    changes: dict[str, Any] = {"next_feed_at": now + pause_after(len(fed), batch.per_minute)}
    if is_completed:
        changes = {"state": BatchState.COMPLETED, "finished_at": now}
    connection.execute(update(replay_batches).filter_by(customer_id=batch.customer_id, name=batch.name).values(changes))
    read_again = sorted({row.resource for row in fed if row.stage == Stage.DETECT})
    applied = sum(row.stage != Stage.DETECT for row in fed)
    return Fed(applied=applied, read_again=tuple(read_again), is_completed=is_completed)


def _own(batch: Any, state: str) -> Sequence[Any]:
    item = replay_items.c
    return item.customer_id == batch.customer_id, item.batch == batch.name, item.state == state


def _on_the_way(connection: Connection, batch: Any) -> int:
    """What waits for another entity, or for a newer event of its own, keeps nobody busy."""
    letters = replay_items.join(dead_letters, ITEM_OF_LETTER).join(events, EVENT_OF_LETTER)
    query = select(func.count()).select_from(letters).where(*_own(batch, "fed"), IS_OPEN, events.c.waits_for == "")
    return int(connection.execute(query).scalar_one())


def _has_waiting(connection: Connection, batch: Any) -> bool:
    return connection.execute(select(replay_items.c.batch).where(*_own(batch, "waiting")).limit(1)).first() is not None


def _portion(connection: Connection, batch: Any, room: int) -> Sequence[Any]:
    """The next ones, each locked. Of what is to be read again all at once: one reading is for all of them.

    One that somebody else is closing just now is passed over until the next portion: slices lock letters in orders of
    their own, and who waits for nobody cannot be part of a deadlock.
    """
    query = with_batch().join(replay_items, ITEM_OF_LETTER).where(*_own(batch, "waiting"))
    query = query.order_by(dead_letters.c.dead_letter_id)
    is_unreadable = dead_letters.c.stage == Stage.DETECT
    locked: Any = {"of": (replay_items, dead_letters), "skip_locked": True}
    unreadable = connection.execute(query.where(is_unreadable).with_for_update(**locked)).all()
    return [*unreadable, *connection.execute(query.where(~is_unreadable).limit(room).with_for_update(**locked)).all()]


def _put_back(connection: Connection, batch: Any, row: Any, now: datetime) -> bool:
    """False: somebody has resolved the letter before its turn."""
    is_fed = row.state == LetterState.OPEN and put_back(
        connection, letter_of(row), now, resolution=f"batch {batch.name}", origin=Origin.BATCH
    )
    connection.execute(
        update(replay_items)
        .where(*_own(batch, "waiting"), replay_items.c.dead_letter_id == row.dead_letter_id)
        .values(state="fed" if is_fed else "left_out", fed_at=now)
    )
    return is_fed


def _last_written(customer_id: str, event_ids: Collection[int]) -> Any:
    """Of each event, by the last batch that has put it to work."""
    written = events.alias("written")
    entity = ("customer_id", "resource", "source_id")
    same_link = and_(*(links.c[name] == dead_letters.c[name] for name in entity))
    same_written = and_(
        *(written.c[name] == links.c[name] for name in entity), written.c.version == links.c.applied_version
    )
    of_batch = and_(
        replay_batches.c.customer_id == replay_items.c.customer_id, replay_batches.c.name == replay_items.c.batch
    )
    joined = dead_letters.join(replay_items, ITEM_OF_LETTER).join(replay_batches, of_batch)
    return (
        select(dead_letters.c.event_id, replay_batches.c.overwrites, written.c.payload, written.c.version)
        .ext(distinct_on(dead_letters.c.event_id))
        .select_from(joined.join(links, same_link).join(written, same_written))
        .where(dead_letters.c.customer_id == customer_id, dead_letters.c.event_id.in_(event_ids))
        .where(replay_items.c.state == "fed")
        .order_by(dead_letters.c.event_id, dead_letters.c.dead_letter_id.desc())
    )


def _batch(connection: Connection, row: Any) -> Batch:
    names = ("customer_id", "name", "actor", "chosen", "overwrites", "portion", "per_minute", "created_at")
    items = _items(connection, row.customer_id, row.name)
    return Batch(
        **{name: getattr(row, name) for name in names},
        state=BatchState(row.state),
        next_feed_at=row.next_feed_at,
        finished_at=row.finished_at,
        counts=Counter(item.outcome for item in items),
    )


def _items(connection: Connection, customer_id: str, name: str) -> Sequence[BatchItem]:
    what = (replay_items.c.state.label("item"), dead_letters.c.dead_letter_id, dead_letters.c.stage)
    query = (
        select(*what, dead_letters.c.resource, dead_letters.c.source_id, events.c.state.label("event"))
        .add_columns(_again().label("again"))
        .select_from(replay_items.join(dead_letters, ITEM_OF_LETTER).join(events, EVENT_OF_LETTER))
        .where(replay_items.c.customer_id == customer_id, replay_items.c.batch == name)
        .order_by(dead_letters.c.dead_letter_id)
    )
    return [_item(row) for row in connection.execute(query)]


def _item(row: Any) -> BatchItem:
    again = row.again if row.item == "fed" else None
    outcome = outcome_of(row.item, row.stage, EventState(row.event), failed_again=again is not None)
    return BatchItem(
        dead_letter_id=row.dead_letter_id, resource=row.resource, source_id=row.source_id, outcome=outcome, again=again
    )


def _again() -> Any:
    """The next letter of the same event, or of the same unreadable item."""
    later = dead_letters.alias("later")
    after = (later.c.customer_id == dead_letters.c.customer_id, later.c.dead_letter_id > dead_letters.c.dead_letter_id)
    first = select(func.min(later.c.dead_letter_id)).correlate(dead_letters)
    of_event = first.where(*after, later.c.event_id == dead_letters.c.event_id).scalar_subquery()
    of_item = first.where(*after, *same_item(later)).scalar_subquery()
    return case((dead_letters.c.stage == Stage.DETECT, of_item), else_=of_event)


def _note(connection: Connection, batch: Any, actor: str, action: str, detail: str, now: datetime) -> None:
    line = {"actor": actor, "action": action, "detail": f"{batch.name}: {detail}" if detail else batch.name}
    connection.execute(insert(audit).values(customer_id=batch.customer_id, at=now, **line))
