"""A customer whose events the test makes itself, and destinations whose worker dies at the worst moment."""

from __future__ import annotations

from sqlalchemy import func, insert, select

from common.domain.entities import EntityKey
from common.domain.events import Action
from common.storage.reviews import PostgresReviews
from common.storage.tables import events
from support.breaking import Killed, Wrapped
from support.builders import a_person
from support.waiting import wait_until


class Desk:
    """One customer whose events the test makes itself; nothing waits for its time."""

    def __init__(self, hub, sandbox, access):
        self.hub, self.sandbox, self.access = hub, sandbox, access
        self.reviews = PostgresReviews(hub.engine)

    def put(self, source_id, action=Action.UPSERT, *, partition=0, **person):
        """The next version of a user."""
        key = {"customer_id": self.access.name, "resource": "users", "source_id": str(source_id)}
        now, body = self.hub.clock.now(), a_person(**{"email": f"p{source_id}@example.org", **person}).to_body()
        with self.hub.engine.begin() as connection:
            newest = select(func.coalesce(func.max(events.c.version), 0)).filter_by(**key)
            version = connection.execute(newest).scalar_one() + 1
            row = {
                "partition": partition, "action": action, "event_version": 1, "payload": body, "origin": "poll",
                "run_id": "r", "trace_id": "t", "state": "pending", "occurred_at": now, "detected_at": now,
                "retry_at": now,
            }  # fmt: skip
            connection.execute(insert(events).values(**key, version=version, **row))

    def later(self):
        """Everything that waits for a time is due."""
        with self.hub.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE events SET retry_at = now() WHERE state IN ('pending', 'submitted')")
            connection.exec_driver_sql("UPDATE writes SET settles_at = now()")
            connection.exec_driver_sql("UPDATE customers SET parked_until = NULL")

    def deliver(self, *, rounds=60):
        self.hub.deliver_all(self.access.name, rounds=rounds)

    def settle(self):
        """Until nothing is under way: it has ended, or waits for a person."""
        wait_until(self._is_settled, seconds=8, what="an end of all that is under way")

    def _is_settled(self):
        self.later()
        self.deliver()
        waiting = {source_id for source_id, _ in self.open_reviews()}
        with self.hub.engine.connect() as connection:
            rows = connection.exec_driver_sql("SELECT source_id FROM events WHERE state IN ('pending', 'submitted')")
            return {row.source_id for row in rows} <= waiting

    def contacts(self):
        return self.sandbox.export(self.access.name)["destination"]["contacts"]

    def fault(self, kind, **rule):
        self.sandbox.add_faults({"kind": kind, "organization": self.access.name, "rate": 1.0, **rule})

    def states(self):
        return self.hub.states(self.access.name)

    def open_reviews(self):
        return {(row.source_id, str(row.kind)) for row in self.reviews.open(self.access.name, limit=99)}

    def owner(self, email):
        return self.hub.slice_parts.store.email_owners(self.access.name, [email]).get(email)

    def entity(self, source_id):
        return EntityKey(customer_id=self.access.name, resource="users", source_id=str(source_id))

    def emails(self, source_id):
        return [
            method["value"]
            for contact in self.contacts()
            if {"source": "Syncfleet", "id": str(source_id)} in contact["contactReferences"]
            for person in contact["contactIndividuals"]
            for method in person["contactMethods"]
            if "mail" in method["type"] and method["isPrimary"]
        ]


class DiesAfterwards(Wrapped):
    """The request is done, and its worker is no more."""

    def apply(self, writes):
        self._inner.apply(writes)
        raise Killed


class DiesAt(Wrapped):
    """Before the request of that number."""

    def __init__(self, inner, count, at):
        super().__init__(inner)
        self._count, self._at = count, at

    def apply(self, writes):
        if next(self._count) == self._at:
            self._last(writes)
            raise Killed
        return self._inner.apply(writes)

    def _last(self, writes):
        pass


class DiesAfter(DiesAt):
    """The request is done, and nobody has noted it."""

    def _last(self, writes):
        self._inner.apply(writes)
