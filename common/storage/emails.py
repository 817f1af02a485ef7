"""Whose an e-mail address is, and was. A row stays for ever: with `left_at`, it is history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from common.domain.entities import EntityKey
from common.domain.identities import EmailUse
from common.domain.writes import Intent
from common.storage.identity_tables import emails

IS_CURRENT = emails.c.left_at.is_(None)


def owners_of(connection: Connection, customer_id: str, addresses: Sequence[str]) -> Mapping[str, EntityKey]:
    """Whose each address is now, of those that are anybody's."""
    query = select(emails).where(emails.c.customer_id == customer_id, emails.c.email.in_(addresses), IS_CURRENT)
    return {
        row.email: EntityKey(customer_id=customer_id, resource=row.resource, source_id=row.source_id)
        for row in connection.execute(query)
    }


def history_of(connection: Connection, entity: EntityKey) -> Sequence[tuple[str, datetime, datetime | None]]:
    """Address, first used, left; the latest first."""
    query = select(emails.c.email, emails.c.first_used_at, emails.c.left_at).filter_by(**_key(entity))
    return [
        (row.email, row.first_used_at, row.left_at)
        for row in connection.execute(query.order_by(emails.c.first_used_at.desc()))
    ]


def claim(connection: Connection, intents: Sequence[Intent]) -> None:
    """For people who are about to be created. Raises IntegrityError if one is somebody else's by now."""
    for intent in intents:
        if intent.email:
            _take(connection, intent.entity, intent.email, intent.started_at)


def use(connection: Connection, uses: Sequence[EmailUse], now: datetime) -> None:
    """Leave what an entity had, and take what it has, unless that is another's: two people may share an address."""
    for each in uses:
        connection.execute(
            update(emails).filter_by(**_key(each.entity)).where(IS_CURRENT, emails.c.email != each.email)
            .values(left_at=now)
        )  # fmt: skip
        owner = owners_of(connection, each.entity.customer_id, [each.email]).get(each.email)
        if each.email and owner is None:
            _take_if_free(connection, each.entity, each.email, now)


def _take_if_free(connection: Connection, entity: EntityKey, email: str, now: datetime) -> None:
    """Another worker may be recording the same address: whoever is first has it, and what the other did stays done."""
    with suppress(IntegrityError), connection.begin_nested():
        _take(connection, entity, email, now)


def _take(connection: Connection, entity: EntityKey, email: str, now: datetime) -> None:
    row = insert(emails).values(**_key(entity), email=email, first_used_at=now)
    keys = [emails.c.customer_id, emails.c.email, emails.c.resource, emails.c.source_id]
    connection.execute(row.on_conflict_do_update(index_elements=keys, set_={"left_at": None}))


def _key(entity: EntityKey) -> dict[str, str]:
    return {"customer_id": entity.customer_id, "resource": entity.resource, "source_id": entity.source_id}
