"""The sides of the three-way check that are ours: mirror, links, and what was last read at the destination."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, and_, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from common.domain.drift import Drift
from common.domain.entities import EntityKey
from common.domain.events import OPEN_STATES, EventState
from common.domain.layers import Layer
from common.domain.verifying import Baseline, KnownRecord, LastEvent, ReadBack
from common.domain.writes import Link
from common.storage.engine import reading
from common.storage.tables import checkpoints, events, links, mirror
from common.storage.verified_tables import verifications, verified

#: Records in one statement.
STEP = 1000
KEYS = ("customer_id", "resource", "source_id")
#: Columns of the outer joins, by the name that they have in a row.
LINKED = {"link_id": links.c.destination_id, "details": links.c.details, "applied_version": links.c.applied_version,
          "applied_hash": links.c.applied_hash, "linked_at": links.c.updated_at}  # fmt: skip
READ = {"read_id": verified.c.destination_id, "read_version": verified.c.version, "wanted_hash": verified.c.wanted_hash,
        "mapped_hash": verified.c.mapped_hash, "fields": verified.c.fields, "read_at": verified.c.read_at}  # fmt: skip


class Records:
    """Records of one resource of a customer, over one connection."""

    def __init__(self, connection: Connection, customer_id: str, resource: str) -> None:
        self._connection = connection
        self._customer_id = customer_id
        self._resource = resource

    def each(self) -> Iterator[KnownRecord]:
        """All that the mirror has or had, in order of their source ids; a step at a time in memory."""
        last: str | None = ""
        while last is not None:
            query = self._query(partial(operator.lt, last)).order_by(mirror.c.source_id).limit(STEP)
            rows = self._connection.execute(query).all()
            yield from map(self._known, rows)
            last = rows[-1].source_id if len(rows) == STEP else None

    def linked_to(self, destination_ids: Sequence[str]) -> list[KnownRecord]:
        """Of one destination record there may be several: a household. As last read they are not given."""
        own = (links.c.customer_id == self._customer_id, links.c.resource == self._resource)
        source_ids: list[str] = []
        for step in _steps(destination_ids):
            query = select(links.c.source_id).where(*own, links.c.destination_id.in_(step))
            source_ids += self._connection.execute(query).scalars()
        wanted = set(destination_ids)
        found = self._some(source_ids, with_read=False)
        return [each for each in found if each.link and each.link.destination_id in wanted]

    def of_ids(self, source_ids: Sequence[str]) -> list[KnownRecord]:
        return self._some(source_ids, with_read=True)

    def _some(self, source_ids: Sequence[str], *, with_read: bool) -> list[KnownRecord]:
        found: list[KnownRecord] = []
        for step in _steps(source_ids):
            query = self._query(partial(_is_one_of, step), with_read=with_read)
            found += map(self._known, self._connection.execute(query).all())
        return found

    def linked_ids(self, destination_ids: Sequence[str]) -> set[str]:
        """Those of them that any link leads to, also that of a record which the mirror does not have."""
        own = (links.c.customer_id == self._customer_id, links.c.resource == self._resource)
        found: set[str] = set()
        for step in _steps(destination_ids):
            query = select(links.c.destination_id).where(*own, links.c.destination_id.in_(step))
            found.update(self._connection.execute(query).scalars())
        return found

    def last_events(self, source_ids: Sequence[str]) -> Mapping[str, LastEvent]:
        """A record that never had an event is missing."""
        found: dict[str, LastEvent] = {}
        for step in _steps(source_ids):
            own = (events.c.customer_id == self._customer_id, events.c.resource == self._resource)
            query = (
                select(events.c.source_id, events.c.state)
                .where(*own, events.c.source_id.in_(step))
                .order_by(events.c.version)
            )
            for row in self._connection.execute(query):
                before = found.get(row.source_id)
                is_open = row.state in OPEN_STATES or bool(before and before.is_open)
                found[row.source_id] = LastEvent(state=EventState(row.state), is_open=is_open)
        return found

    def _query(self, bound: Callable[[Any], ColumnElement[bool]], *, with_read: bool = True) -> Select[Any]:
        """`bound` on the source id is said to each table: otherwise a step reads all of the others, and the steps
        together as many times.
        """
        named = [column.label(name) for name, column in (LINKED | READ if with_read else LINKED).items()]
        own = (mirror.c.customer_id == self._customer_id, mirror.c.resource == self._resource)
        what = (mirror.c.source_id, mirror.c.version, mirror.c.content_hash, mirror.c.body, mirror.c.source_updated_at)
        query = select(*what, mirror.c.deleted_at, *named).where(*own, bound(mirror.c.source_id))
        for table in (links, verified) if with_read else (links,):
            query = query.outerjoin(table, and_(_same(table), bound(table.c.source_id)))
        return query

    def _known(self, row: Any) -> KnownRecord:
        entity = EntityKey(customer_id=self._customer_id, resource=self._resource, source_id=row.source_id)
        return KnownRecord(
            entity=entity,
            version=row.version,
            content_hash=row.content_hash,
            body=row.body,
            updated_at=row.source_updated_at,
            is_gone=row.deleted_at is not None,
            link=_link(entity, row) if row.link_id is not None else None,
            linked_at=row.linked_at,
            read=_read(entity, row) if getattr(row, "read_id", None) is not None else None,
        )


class PostgresVerified:
    """What `fleet verify` reads and remembers."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reads = reading(engine)

    @contextmanager
    def records(self, customer_id: str, resource: str) -> Iterator[Records]:
        """As they are at each statement."""
        with self._reads.connect() as connection:
            yield Records(connection, customer_id, resource)

    @contextmanager
    def snapshot(self, customer_id: str, resource: str) -> Iterator[Records]:
        """All as at one moment. Nothing slow may be done meanwhile: the server ends a transaction that is left open."""
        frozen = self._engine.execution_options(isolation_level="REPEATABLE READ")
        with frozen.connect() as connection, connection.begin():
            yield Records(connection, customer_id, resource)

    def save(self, found: Sequence[ReadBack]) -> None:
        """The later reading of a record wins."""
        if not found:
            return
        statement = insert(verified)
        changes = {name: statement.excluded[name] for name in _row(found[0]) if name not in KEYS}
        newer = statement.on_conflict_do_update(
            constraint=verified.primary_key, set_=changes, where=verified.c.read_at <= statement.excluded.read_at
        )
        with self._engine.begin() as connection:
            connection.execute(newer, [_row(each) for each in found])

    def forget(self, customer_id: str, resource: str, source_ids: Sequence[str]) -> None:
        """These are not there."""
        for step in _steps(source_ids):
            self._delete(_own(customer_id, resource), verified.c.source_id.in_(step))

    def forget_before(self, customer_id: str, resource: str, moment: datetime) -> None:
        """All were read since: what was not is not there."""
        self._delete(_own(customer_id, resource), verified.c.read_at < moment)

    def _delete(self, *conditions: ColumnElement[bool]) -> None:
        with self._engine.begin() as connection:
            connection.execute(delete(verified).where(*conditions))

    def mirrored(self, customer_id: str, resource: str, source_ids: Sequence[str]) -> Mapping[str, str]:
        """Content hashes of those that the mirror has as being there."""
        found: dict[str, str] = {}
        own = (mirror.c.customer_id == customer_id, mirror.c.resource == resource, mirror.c.deleted_at.is_(None))
        with self._reads.connect() as connection:
            for step in _steps(source_ids):
                query = select(mirror.c.source_id, mirror.c.content_hash).where(*own, mirror.c.source_id.in_(step))
                found |= {row.source_id: row.content_hash for row in connection.execute(query)}
        return found

    def position(self, customer_id: str, resource: str) -> datetime | None:
        """The checkpoint: the highest source time of the last sealed scan."""
        query = select(checkpoints.c.position).filter_by(
            customer_id=customer_id, resource=resource, layer=Layer.POLL
        )  # fmt: skip
        with self._reads.connect() as connection:
            found: datetime | None = connection.execute(query).scalar_one_or_none()
        return found

    def count_links(self, customer_id: str, resource: str) -> int:
        query = select(func.count()).select_from(links).filter_by(customer_id=customer_id, resource=resource)
        with self._reads.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def baseline(self, customer_id: str, resource: str) -> Baseline | None:
        """None: it was never read to the end."""
        query = select(verifications).filter_by(customer_id=customer_id, resource=resource)
        with self._reads.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None or row.read_from is None:
            return None
        return Baseline(read_from=row.read_from, highest=row.highest, there=row.there)

    def certify(
        self, customer_id: str, resource: str, at: datetime, certificate: Mapping[str, Any], baseline: Baseline | None
    ) -> None:
        """Without a baseline the one before stays: what was read since is read again."""
        new = {"verified_at": at, "certificate": certificate}
        base: dict[str, Any] = {"read_from": None, "highest": "", "there": 0}
        if baseline is not None:
            base = {"read_from": baseline.read_from, "highest": baseline.highest, "there": baseline.there}
        statement = insert(verifications).values(customer_id=customer_id, resource=resource, **new, **base)
        changes = new | (base if baseline is not None else {})
        with self._engine.begin() as connection:
            connection.execute(statement.on_conflict_do_update(constraint=verifications.primary_key, set_=changes))

    def unlinked(self, customer_id: str, resource: str) -> Sequence[str] | None:
        """Destination ids that the last certificate names as unlinked. None: it has counted more than it has kept."""
        query = select(verifications.c.certificate).filter_by(customer_id=customer_id, resource=resource)
        with self._reads.connect() as connection:
            kept: Mapping[str, Any] = connection.execute(query).scalar_one_or_none() or {}
        rows = [row for row in kept.get("differing", ()) if row["drift"] == Drift.UNLINKED_AT_DESTINATION]
        is_whole = len(rows) == kept.get("by_drift", {}).get(Drift.UNLINKED_AT_DESTINATION, 0)
        return [row["destination_id"] for row in rows] if is_whole else None

    def certificates(self, customer_id: str) -> Sequence[Mapping[str, Any]]:
        """The last of each resource, as it was given."""
        query = select(verifications.c.certificate).filter_by(customer_id=customer_id)
        with self._reads.connect() as connection:
            return list(connection.execute(query.order_by(verifications.c.resource)).scalars())


def _is_one_of(values: Sequence[str], column: Any) -> ColumnElement[bool]:
    is_one: ColumnElement[bool] = column.in_(values)
    return is_one


def _same(table: Any) -> ColumnElement[bool]:
    return and_(*(table.c[name] == mirror.c[name] for name in KEYS))


def _own(customer_id: str, resource: str) -> ColumnElement[bool]:
    return and_(verified.c.customer_id == customer_id, verified.c.resource == resource)


def _link(entity: EntityKey, row: Any) -> Link:
    return Link(
        entity=entity, destination_id=row.link_id, details=row.details, applied_version=row.applied_version,
        applied_hash=row.applied_hash,
    )  # fmt: skip


def _read(entity: EntityKey, row: Any) -> ReadBack:
    return ReadBack(
        entity=entity, destination_id=row.read_id, version=row.read_version, wanted_hash=row.wanted_hash,
        mapped_hash=row.mapped_hash, fields=tuple(row.fields), read_at=row.read_at,
    )  # fmt: skip


def _row(read: ReadBack) -> dict[str, Any]:
    names = ("destination_id", "version", "wanted_hash", "mapped_hash", "read_at")
    own = {name: getattr(read.entity, name) for name in KEYS}
    return {**own, **{name: getattr(read, name) for name in names}, "fields": list(read.fields)}


def _steps(values: Sequence[str]) -> Iterator[Sequence[str]]:
    return (values[start : start + STEP] for start in range(0, len(values), STEP))
