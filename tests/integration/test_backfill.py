"""A backfill on real servers: killed at random, and with users that change meanwhile, it ends equal to the source."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from support.recording import KilledError, Killing

from common.domain.checkpoints import first_progress
from common.domain.layers import Layer
from common.domain.runs import RunState
from common.domain.windows import Stage
from common.storage.backfills import PostgresBackfills
from common.storage.tables import audit, checkpoints, events, mirror
from poller.detectors.backfill import Backfill

#: Some windows of a few pages each.
WINDOWED = Backfill(passes=6, target=120)


def names(hub, customer_id):
    query = select(mirror.c.source_id, mirror.c.body["last_name"].astext).filter_by(
        customer_id=customer_id, resource="users"
    )
    with hub.engine.connect() as connection:
        rows = connection.execute(query.where(mirror.c.deleted_at.is_(None))).all()
    return dict(rows)


def row_of(hub, customer_id):
    with hub.engine.connect() as connection:
        return connection.execute(select(checkpoints).filter_by(customer_id=customer_id, resource="users")).one()


def test_killed_and_edited_under_it_a_backfill_and_one_poll_equal_the_source(hub, organization, sandbox):
    access, chance = organization(users=700), random.Random(5)
    hub.onboard(access)
    hub.with_run_parts(backfill=WINDOWED)
    users, whole, gone = sorted(sandbox.export(access.name)["source"]["users"], key=int), hub.run_parts, set()
    state, kills = None, 0
    while state != RunState.COMPLETED:
        hub.run_parts = replace(
            whole, store=Killing(whole.store, at=chance.randint(5, 40), after=chance.random() < 0.5)
        )
        try:
            state = hub.poll(access.name)
        except KilledError:
            kills += 1
        sandbox.change_user(access.name, int(chance.choice(users)), last_name=f"Edited{kills}")
        if state != RunState.COMPLETED and kills % 3 == 0:
            deleted = users.pop(chance.randrange(len(users)))
            sandbox.delete_user(access.name, int(deleted))
            gone.add(deleted)
            sandbox.create_user(access.name)
    hub.run_parts = whole
    assert hub.poll(access.name) == RunState.COMPLETED

    there = {key: user["last_name"] for key, user in sandbox.export(access.name)["source"]["users"].items()}
    assert kills
    found = names(hub, access.name)
    # Who was read before he was deleted is the weekly full scan's to find.
    assert found.keys() - there.keys() <= gone
    assert {key: found[key] for key in there} == there


def test_from_scratch_reads_all_again_and_doubles_nothing(hub, organization):
    access = organization(users=150)
    hub.onboard(access)
    hub.with_run_parts(backfill=Backfill(target=40))
    assert hub.poll(access.name) == RunState.COMPLETED
    position = row_of(hub, access.name).position
    begun = first_progress(Layer.POLL, None, run_id="again", trace_id="t", now=hub.clock.now())
    backfills = PostgresBackfills(hub.engine)
    backfills.begin_again(access.name, {"users": begun}, hub.clock.now() - timedelta(seconds=1))
    (row,) = backfills.standing(access.name)
    assert (row.resource, row.read, row_of(hub, access.name).position) == ("users", 0, None)

    assert hub.poll(access.name) == RunState.COMPLETED
    with hub.engine.connect() as connection:
        made = connection.execute(select(events.c.source_id).filter_by(customer_id=access.name)).scalars().all()
    assert (len(made), len(set(made))) == (150, 150)
    assert row_of(hub, access.name).position >= position
    report = next(run for run in hub.overview.runs(access.name) if run.run_id == "again")
    assert (report.origin, report.counts.detected, report.counts.unchanged >= 150) == ("backfill", 0, True)
    assert backfills.standing(access.name) == []


def test_what_an_unsealed_backfill_has_sealed_is_kept_in_the_database(hub, organization):
    access = organization(users=150)
    hub.onboard(access)
    hub.with_run_parts(backfill=Never(passes=1, target=40))
    assert hub.poll(access.name) == RunState.UNSEALED
    kept = row_of(hub, access.name).backfill
    assert (kept["sealed"], row_of(hub, access.name).position) == (2, None)

    noting = Noting(target=40)
    hub.with_run_parts(backfill=noting)
    assert hub.poll(access.name) == RunState.COMPLETED
    edge = datetime.fromisoformat(kept["edge"])
    assert noting.asked
    assert max(noting.asked) <= edge + timedelta(seconds=1)
    assert row_of(hub, access.name).backfill is None


@dataclass(frozen=True, kw_only=True)
class Noting(Backfill):
    """Notes the upper bound of each window that is asked for."""

    asked: list[datetime] = field(default_factory=list)

    def query(self, resource, progress):
        query = super().query(resource, progress)
        if progress.windows.stage is Stage.WINDOWS:
            self.asked.append(query.created_before)
        return query


class Never(Backfill):
    """Seals two windows, and no other."""

    def is_sealed(self, progress, seen):
        return progress.windows.sealed < 2 and super().is_sealed(progress, seen)


def test_the_history_says_so_when_every_resource_was_read_once(hub, organization):
    access = organization(users=3)
    hub.onboard(access)
    hub.poll(access.name)
    query = select(audit.c.action).filter_by(customer_id=access.name, action="backfill.completed")
    with hub.engine.connect() as connection:
        assert connection.execute(query).all() == []
    hub.poll_all(access.name)
    hub.poll_all(access.name)

    with hub.engine.connect() as connection:
        assert len(connection.execute(query).all()) == 1
