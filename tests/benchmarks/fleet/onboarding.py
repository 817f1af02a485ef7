"""How soon a new customer is polled, and how soon beat heeds a change of a customer."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import func, select, update
from support.waiting import wait_until

from benchmarks.fleet.accounts import add_customers, customer_row, names
from benchmarks.fleet.figures import Figure, Table, figure
from benchmarks.fleet.fleet import running_beat, running_poller, running_processor
from benchmarks.fleet.printing import progress
from benchmarks.fleet.stage import ROOT, Stage
from benchmarks.fleet.watching import Poll, watched_polls
from common.domain.clock import SystemClock
from common.domain.customers import LANE_OF_TIER, Tier
from common.queueing.names import poll_queue
from common.storage.customers import PostgresCustomerStore
from common.storage.tables import customers, runs
from deploy.sandbox.client import Access, SandboxAdmin
from deploy.sandbox.process import start_sandbox

#: Customers of one command with a file, and those added by a command each.
TOGETHER, ALONE = 20, 5
USERS = 20
#: A turn every second, so that what passes between a change and its effect is not the wait for a turn.
OFTEN = {f"FLEET_{tier.upper()}_INTERVAL_SECONDS": "1" for tier in Tier}
#: Promised by issue 3, point 1, in seconds; a customer's next turn is up to one more away.
HEEDED_SECONDS = 5
PATIENCE_SECONDS = 60
#: How long a paused customer is watched: its last poll is known then.
WATCH_SECONDS = 6.0


def measure(stage: Stage) -> Table:
    figures = _first_polls(stage)
    stage.clear()
    return Table(title="Customers come and change", figures=[*figures, *_changes(stage)], notes=[
        "A real fleet (beat, a poller, a processor) and the sandbox; the command is `fleet customers add`.",
        "Changes are heeded by a beat with turns of one second: up to one second is the wait for the turn.",
    ])  # fmt: skip


def _first_polls(stage: Stage) -> list[Figure]:
    together, alone = (4, 2) if stage.quick else (TOGETHER, ALONE)
    with ExitStack() as stack:
        url = stack.enter_context(start_sandbox(seed=7))
        admin = stack.enter_context(SandboxAdmin(url))
        for process in (running_processor(stage, "processor"), running_poller(stage), running_beat(stage)):
            stack.enter_context(process)
        accesses = admin.create_organizations(*({"name": name, "users": USERS} for name in names(together + alone)))
        typed = [_add_one(stage, access) for access in accesses[:alone]]
        progress(f"onboarding: {together} customers by one command")
        stored = _add_file(stage, accesses[alone:])
    return [
        figure(f"`fleet customers add`, {alone} times: from typing it to the first run", typed, "s"),
        figure(f"{together} customers by one file: from being stored to the first run", stored, "s"),
        figure("the longest of them", max(stored), "s", below=HEEDED_SECONDS),
    ]


def _add_one(stage: Stage, access: Access) -> float:
    began = time.time()
    _fleet(stage, "customers", "add", "--file", str(_file(stage, [access])))
    return _first_run(stage, access.name) - began


def _add_file(stage: Stage, accesses: Sequence[Access]) -> list[float]:
    _fleet(stage, "customers", "add", "--file", str(_file(stage, accesses)))
    return [_first_run(stage, access.name) - _stored_at(stage, access.name) for access in accesses]


def _file(stage: Stage, accesses: Sequence[Access]) -> Path:
    path = stage.directory / "customers.json"
    path.write_text(json.dumps([_entry(stage.directory, access) for access in accesses]))
    return path


def _entry(directory: Path, access: Access) -> dict[str, object]:
    tokens = {"source": access.volunteer_token, "destination": access.crm_token}
    for system, token in tokens.items():
        (directory / f"{access.name}.{system}").write_text(token)
    return {
        "customer_id": access.name,
        "name": access.name,
        "tier": Tier.STANDARD,
        "source_settings": {"base_url": access.volunteer_base_url},
        "destination_settings": {"base_url": access.crm_base_url},
        **{f"{system}_token_file": f"{access.name}.{system}" for system in tokens},
    }


def _fleet(stage: Stage, *words: str) -> None:
    """Raises subprocess.CalledProcessError if the command fails; what it says is on standard error."""
    command = [str(Path(sys.executable).with_name("fleet")), *words]
    subprocess.run(command, env=stage.environment(), cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def _first_run(stage: Stage, customer_id: str) -> float:
    """Unix seconds."""
    query = select(func.min(runs.c.started_at)).where(runs.c.customer_id == customer_id)

    def started() -> float | None:
        with stage.engine.connect() as connection:
            moment = connection.execute(query).scalar_one()
        return moment and moment.timestamp()

    return wait_until(started, seconds=PATIENCE_SECONDS, what=f"the first run of {customer_id}")


def _stored_at(stage: Stage, customer_id: str) -> float:
    query = select(customers.c.created_at).where(customers.c.customer_id == customer_id)
    with stage.engine.connect() as connection:
        return connection.execute(query).scalar_one().timestamp()


def _changes(stage: Stage) -> list[Figure]:
    """By a beat alone, whose polls nobody works on."""
    count = 4 if stage.quick else 10
    groups = [names(3 * count)[start::3] for start in range(3)]
    with running_beat(stage, OFTEN), watched_polls(stage.redis) as polls:
        seen = _Changes(stage, polls)
        progress(f"onboarding: {3 * count} customers are added, re-tiered and paused behind beat's back")
        added = seen.added([name for group in groups for name in group])
        moved = seen.moved(groups[0])
        paused = seen.paused(groups[1])
    return [
        figure("a row added by SQL: to the first poll, the longest", max(added), "s", below=HEEDED_SECONDS),
        figure("a tier changed by SQL: to the first poll in the new lane, the longest", max(moved), "s",
               below=HEEDED_SECONDS),
        figure("paused: to the last poll, the longest", max(paused), "s", below=HEEDED_SECONDS),
    ]  # fmt: skip


class _Changes:
    """Each answers, for every customer, seconds from the change's commit to its effect."""

    def __init__(self, stage: Stage, polls: list[Poll]) -> None:
        self._stage = stage
        self._polls = polls

    def added(self, group: Sequence[str]) -> list[float]:
        add_customers(self._stage.engine, [customer_row(name, Tier.STANDARD) for name in group])
        return self._effects(group, time.time(), lambda _: True)

    def moved(self, group: Sequence[str]) -> list[float]:
        tier = Tier.PREMIUM
        statement = update(customers).where(customers.c.customer_id.in_(group))
        with self._stage.engine.begin() as connection:
            connection.execute(statement.values(tier=tier, lane=LANE_OF_TIER[tier]))
        return self._effects(group, time.time(), lambda poll: poll.queue == poll_queue(LANE_OF_TIER[tier]))

    def paused(self, group: Sequence[str]) -> list[float]:
        store = PostgresCustomerStore(self._stage.engine, SystemClock())
        for name in group:
            store.pause(name, "to see when it stops")
        since = time.time()
        time.sleep(WATCH_SECONDS)
        return [max(0.0, max(self._of(name), default=since) - since) for name in group]

    def _effects(self, group: Sequence[str], since: float, counts: Callable[[Poll], bool]) -> list[float]:
        def first(name: str) -> float | None:
            return next((each.at for each in self._polls if each.customer_id == name and counts(each)), None)

        wait_until(lambda: all(map(first, group)), seconds=PATIENCE_SECONDS, what="a poll of every customer")
        return [(first(name) or 0.0) - since for name in group]

    def _of(self, name: str) -> list[float]:
        return [each.at for each in self._polls if each.customer_id == name]
