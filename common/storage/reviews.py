"""What waits for a person's decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from common.domain.entities import EntityKey
from common.domain.errors import CustomerInvalid
from common.domain.events import EventState
from common.domain.writes import Link, Operation, Review, ReviewKind, WriteState
from common.storage.emails import history_of
from common.storage.engine import reading
from common.storage.identity_tables import reviews
from common.storage.tables import OPEN, dead_letters, events, links, mirror, writes

#: The decision that lets an entity be created although something speaks against it.
CREATE = "create"
#: The decision that was a link.
LINK = "link"
#: The reason of the dead letter of somebody who is not in the linked record any more, which itself is there.
PERSON_GONE = "person_gone"


@dataclass(frozen=True, kw_only=True)
class OpenReview:
    """One that nobody has decided, as an operator sees it."""

    customer_id: str
    resource: str
    source_id: str
    kind: ReviewKind
    reason: str
    candidates: Sequence[str]
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class KnownEntity:
    """What we have of an entity: personal data, for an operator's eyes."""

    body: dict[str, Any]
    destination_id: str | None
    #: Address, first used, left.
    emails: Sequence[tuple[str, datetime, datetime | None]]


def put(connection: Connection, found: Sequence[Review], now: datetime) -> None:
    """One open per entity; one that is open already keeps its time, and one that was decided is opened again."""
    for review in found:
        values = {
            "kind": review.kind,
            "reason": review.reason,
            "candidates": list(review.candidates),
            "state": "open",
            "decision": "",
            "resolved_at": None,
        }
        statement = insert(reviews).values(**_key(review.entity), **values, created_at=now)
        keys = [reviews.c.customer_id, reviews.c.resource, reviews.c.source_id]
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=values))


def settle(connection: Connection, found: Sequence[Link], now: datetime) -> None:
    """What is linked asks nothing of anybody any more."""
    for link in found:
        connection.execute(
            update(reviews).filter_by(**_key(link.entity), state="open").values(state="settled", resolved_at=now)
        )


def cleared(connection: Connection, customer_id: str, resource: str, source_ids: Sequence[str]) -> set[EntityKey]:
    """Those that a person has decided to create."""
    query = (
        select(reviews.c.source_id)
        .filter_by(customer_id=customer_id, resource=resource, state="decided", decision=CREATE)
        .where(reviews.c.source_id.in_(source_ids))
    )
    rows = connection.execute(query).scalars()
    return {EntityKey(customer_id=customer_id, resource=resource, source_id=source_id) for source_id in rows}


class PostgresReviews:
    """What the command line does with them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reads = reading(engine)

    def open(self, customer_id: str | None, *, kind: ReviewKind | None = None, limit: int) -> Sequence[OpenReview]:
        """The oldest first; of one customer or of all."""
        query = select(reviews).where(reviews.c.state == "open").order_by(reviews.c.created_at).limit(limit)
        if customer_id is not None:
            query = query.where(reviews.c.customer_id == customer_id)
        if kind is not None:
            query = query.where(reviews.c.kind == kind)
        with self._reads.connect() as connection:
            return [_open(row) for row in connection.execute(query)]

    def one(self, entity: EntityKey) -> OpenReview | None:
        with self._reads.connect() as connection:
            row = connection.execute(select(reviews).filter_by(**_key(entity), state="open")).one_or_none()
        return None if row is None else _open(row)

    def known(self, entity: EntityKey) -> KnownEntity | None:
        """None if the source never showed it."""
        with self._reads.connect() as connection:
            body = connection.execute(select(mirror.c.body).filter_by(**_key(entity))).scalar_one_or_none()
            linked = connection.execute(select(links.c.destination_id).filter_by(**_key(entity))).scalar_one_or_none()
            addresses = history_of(connection, entity)
        return None if body is None else KnownEntity(body=body, destination_id=linked, emails=addresses)

    def linked_to(self, customer_id: str, resource: str, destination_id: str) -> Sequence[str]:
        """Source ids of the entities that are linked to a record of the destination."""
        query = select(links.c.source_id).filter_by(
            customer_id=customer_id, resource=resource, destination_id=destination_id
        )
        with self._reads.connect() as connection:
            return list(connection.execute(query).scalars())

    def link(self, link: Link, now: datetime, *, lost: str = "") -> None:
        """Decide that it is this record, also instead of one that was archived or merged, if that is the question, or
        that a dead letter says is the wrong one, or that is `lost`: the id of one that is there no more.

        Raises CustomerInvalid if it is linked to any other.
        """
        row = {
            **_key(link.entity),
            "destination_id": link.destination_id,
            "details": dict(link.details),
            "applied_version": 0,
            "applied_hash": "",
            "created_at": now,
            "updated_at": now,
        }
        with self._engine.begin() as connection:
            added = insert(links).values(row).on_conflict_do_nothing().returning(links.c.source_id)
            if connection.execute(added).one_or_none() is None and not _linked_anew(connection, link, lost, now):
                raise CustomerInvalid(link.entity.customer_id, str(link.entity), "is linked already")
            self._decide(connection, link.entity, LINK, now)

    def create(self, entity: EntityKey, now: datetime) -> None:
        """Decide that it is a new one, whatever speaks against it: an import that is held is waited for no more."""
        with self._engine.begin() as connection:
            _give_up_import(connection, entity, now)
            self._decide(connection, entity, CREATE, now)

    @staticmethod
    def _decide(connection: Connection, entity: EntityKey, decision: str, now: datetime) -> None:
        own = _key(entity)
        connection.execute(update(reviews).filter_by(**own).values(state="decided", decision=decision, resolved_at=now))
        connection.execute(
            update(events)
            .filter_by(**own)
            .where(OPEN, events.c.state == EventState.PENDING)
            .values(retry_at=now, reason="")
        )


def _linked_anew(connection: Connection, link: Link, lost: str, now: datetime) -> bool:
    """What the ledger says of versions stays: no older one may come after."""
    own = _key(link.entity)
    asked = select(reviews.c.source_id).filter_by(**own, state="open", kind=ReviewKind.ARCHIVED).exists()
    refused = select(dead_letters.c.source_id).filter_by(**own, state="open", reason=PERSON_GONE).exists()
    known = {"destination_id": link.destination_id, "details": dict(link.details), "applied_hash": ""}
    anew = update(links).filter_by(**own).where(or_(asked, refused, links.c.destination_id == lost))
    return connection.execute(anew.values(**known, updated_at=now)).rowcount == 1


def _give_up_import(connection: Connection, entity: EntityKey, now: datetime) -> None:
    """Where that is what the question is about."""
    asked = select(reviews.c.source_id).filter_by(**_key(entity), state="open", kind=ReviewKind.HELD_IMPORT)
    if connection.execute(asked).one_or_none() is None:
        return
    connection.execute(
        update(writes)
        .filter_by(**_key(entity), state=WriteState.SUBMITTED, operation=Operation.CREATE)
        .values(state=WriteState.LOOKED, finished_at=now)
    )
    connection.execute(
        update(events).filter_by(**_key(entity), state=EventState.SUBMITTED).values(state=EventState.PENDING)
    )


def _open(row: Any) -> OpenReview:
    names = ("customer_id", "resource", "source_id", "reason", "candidates", "created_at")
    return OpenReview(kind=ReviewKind(row.kind), **{name: getattr(row, name) for name in names})


def _key(entity: EntityKey) -> dict[str, str]:
    return {"customer_id": entity.customer_id, "resource": entity.resource, "source_id": entity.source_id}
