"""What we have of dead letters' records, for the preview of a replay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Engine, and_, func, select

from common.domain.batches import Baseline
from common.domain.events import EventState
from common.domain.replays import Facts
from common.storage.dead_letters import letter_of, with_batch
from common.storage.delivery import event_of, link_of
from common.storage.tables import dead_letters, events, links, mirror

ENTITY = ("customer_id", "resource", "source_id")


class PostgresReplayFacts:
    """Reads; changes nothing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, customer_id: str, numbers: Sequence[int]) -> Sequence[Facts]:
        """Of these letters of a customer, in order of their numbers."""
        own = (dead_letters.c.customer_id == customer_id, dead_letters.c.dead_letter_id.in_(numbers))
        letters = with_batch().where(*own).order_by(dead_letters.c.dead_letter_id)
        about = _about().where(*own)
        with self._engine.connect() as connection:
            rows = {row.dead_letter_id: row for row in connection.execute(about)}
            found = list(map(letter_of, connection.execute(letters).all()))
            event_ids = [letter.event_id for letter in found]
            of_events = select(events).where(events.c.customer_id == customer_id, events.c.event_id.in_(event_ids))
            by_id = {row.event_id: event_of(row) for row in connection.execute(of_events)}
            of_links = _joined(select(links), links).where(*own)
            linked = {link.entity: link for link in map(link_of, connection.execute(of_links))}
        return [_facts(letter, by_id[letter.event_id], linked, rows[letter.dead_letter_id]) for letter in found]

    def last_written(self, customer_id: str, event_ids: Sequence[int]) -> Mapping[int, Baseline]:
        """What was last written of the entities of these events; missing: nothing, or it is not known any more."""
        written = events.alias("written")
        same_link = and_(*(links.c[name] == events.c[name] for name in ENTITY))
        same = and_(
            *(written.c[name] == links.c[name] for name in ENTITY), written.c.version == links.c.applied_version
        )
        query = (
            select(events.c.event_id, written.c.payload, written.c.version)
            .select_from(events.join(links, same_link).join(written, same))
            .where(events.c.customer_id == customer_id, events.c.event_id.in_(event_ids))
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return {row.event_id: Baseline(payload=row.payload, version=row.version) for row in rows}


def _facts(letter: Any, event: Any, linked: Any, row: Any) -> Facts:
    return Facts(
        letter=letter,
        event=event,
        link=linked.get(event.entity),
        newest_version=row.newest or event.version,
        mirror_body=row.body or {},
        mirror_hash=row.content_hash or "",
        is_gone=row.deleted_at is not None,
    )


def _joined(query: Any, table: Any) -> Any:
    same = and_(*(table.c[name] == dead_letters.c[name] for name in ENTITY))
    return query.select_from(dead_letters.join(table, same))


def _about() -> Any:
    """By letter: its mirror, and the newest version that nobody has decided against."""
    other = events.alias("other")
    newest = (
        select(func.max(other.c.version))
        .where(*(other.c[name] == dead_letters.c[name] for name in ENTITY))
        .where(other.c.state != EventState.DISCARDED, other.c.coalesce)
        .correlate(dead_letters)
        .scalar_subquery()
    )
    same = and_(*(mirror.c[name] == dead_letters.c[name] for name in ENTITY))
    what = (mirror.c.body, mirror.c.content_hash, mirror.c.deleted_at)
    return select(dead_letters.c.dead_letter_id, newest.label("newest"), *what).select_from(
        dead_letters.outerjoin(mirror, same)
    )
