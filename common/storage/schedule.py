"""What the beat must not forget: up to when it has published, and which daily slots are claimed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import Engine, func, select
from sqlalchemy.dialects.postgresql import Insert, insert

from common.domain.checkpoints import Progress
from common.domain.layers import LAYER_TERMS, Layer
from common.storage.night_rows import claim_night
from common.storage.tables import beats, checkpoints, slots

#: Rows of `beats`. Every turn is published up to the leader's mark, but for what it is still making up; every slot is
#: up to the other: a leader that is killed while it catches up leaves a poll to its next turn, but no date's slot out.
LEADER, SLOTS = "leader", "slots"


class PostgresSchedule:
    """Slots and the beat's mark."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def published_until(self) -> datetime | None:
        """Up to when every turn was published; None if there never was a beat."""
        return self._mark(LEADER)

    def slots_until(self) -> datetime | None:
        """Up to when every slot was claimed, made-up ones too; None if there never was a beat."""
        return self._mark(SLOTS)

    def _mark(self, name: str) -> datetime | None:
        query = select(beats.c.published_until).where(beats.c.name == name)
        with self._engine.connect() as connection:
            return connection.execute(query).scalar_one_or_none()

    def note_published(self, until: datetime, *, slots_until: datetime | None = None) -> None:
        rows = [
            {"name": LEADER, "published_until": until},
            {"name": SLOTS, "published_until": slots_until or until},
        ]
        row = insert(beats).values(rows)
        later = func.greatest(beats.c.published_until, row.excluded.published_until)
        with self._engine.begin() as connection:
            connection.execute(row.on_conflict_do_update(index_elements=["name"], set_={"published_until": later}))

    def claim_slot(
        self, customer_id: str, layer: Layer, slot_date: date, resources: Sequence[str], now: datetime
    ) -> bool:
        """Take a date's slot; True once for each date, over all beats, and never for one before the last.

        In the same transaction its runs become due, or its night does, so that the sweep asks for them until a worker
        has taken them.
        """
        with self._engine.begin() as connection:
            row = insert(slots).values(customer_id=customer_id, layer=layer, slot_date=slot_date, claimed_at=now)
            claim = row.on_conflict_do_update(
                index_elements=["customer_id", "layer"],
                set_={"slot_date": slot_date, "claimed_at": now},
                where=slots.c.slot_date < slot_date,
            ).returning(slots.c.slot_date)
            if connection.execute(claim).one_or_none() is None:
                return False
            if layer is Layer.NIGHTLY:
                claim_night(connection, customer_id, slot_date, now)
            elif resources:
                connection.execute(ask_for(customer_id, layer, resources, now))
            return True

    def begin(self, customer_id: str, layer: Layer, runs: Mapping[str, Progress], now: datetime) -> Collection[str]:
        """Runs by resource, as if each had begun and saved its progress: due now. One that is under way goes on
        instead; returns those that are new.
        """
        key = {"customer_id": customer_id, "layer": LAYER_TERMS[layer].progress_of}
        rows = [
            {**key, "resource": name, "progress": run.to_json(), "continue_at": now, "updated_at": now}
            for name, run in runs.items()
        ]
        row = insert(checkpoints).values(rows)
        begun = row.on_conflict_do_update(
            index_elements=["customer_id", "resource", "layer"],
            set_={"progress": row.excluded.progress, "continue_at": now, "updated_at": now},
            where=checkpoints.c.progress.is_(None),
        ).returning(checkpoints.c.resource)
        with self._engine.begin() as connection:
            return frozenset(connection.execute(begun).scalars())


def ask_for(customer_id: str, layer: Layer, resources: Sequence[str], now: datetime) -> Insert:
    """Their runs are due. A run that is under way, or waits for its time, goes on instead."""
    key = {"customer_id": customer_id, "layer": LAYER_TERMS[layer].progress_of}
    rows = [{**key, "resource": name, "continue_at": now, "updated_at": now} for name in resources]
    unless_under_way = checkpoints.c.progress.is_(None)
    return (
        insert(checkpoints)
        .values(rows)
        .on_conflict_do_update(
            index_elements=["customer_id", "resource", "layer"], set_={"continue_at": now}, where=unless_under_way
        )
    )
