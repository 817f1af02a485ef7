"""The run: onboarding, steady edits under mild faults with a sample every few seconds, then rest and the audit."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from threading import Event

from redis import Redis
from sqlalchemy import create_engine

from common.config.settings import Settings
from common.queueing.celery_app import make_app
from deploy.audit.report import Finding
from deploy.audit.run import audit
from deploy.demo.fleet import POLLERS, PROCESSORS, Fleet
from deploy.demo.onboarding import bring_in
from deploy.demo.plan import EDIT_WEIGHTS, DemoCustomer, plan_customers
from deploy.demo.watching import hits, is_level, look
from deploy.sandbox.client import SandboxAdmin
from poller.sources.registry import SOURCES
from soak.judging import Outcome, judge_all
from soak.sampling import Sampler
from soak.slots import Slots, owners_of, what_runs
from soak.weather import outages, standing_rules

#: So much budget that an hour of edits never waits for the next one: what is measured is use, not waiting.
ABUNDANT_REQUESTS_PER_HOUR = 1_000_000
SETTINGS = {
    "FLEET_CRM_REQUESTS_PER_HOUR": str(ABUNDANT_REQUESTS_PER_HOUR),
    # Some edits are refused for good reason (hours changed after their import), about one in eighty: an hour of them
    # would pause a customer, as it should where there are people to look.
    "FLEET_DEAD_LETTER_LIMIT": "100000",
    # An hour of edits cancels and leaves more than the fuse lets go in a day: the rest would wait for a person.
    "FLEET_DELETION_FUSE_RECORDS": "100000",
}
#: Seconds for the first backfill, and for the rest after the edits, on a machine that is busy.
BACKFILL_SECONDS, REST_SECONDS = 300.0, 300.0
#: Seconds that the rest must last: longer than a request that was given up may be under way.
CALM_SECONDS = 6.0
#: Seconds between two looks at the sandbox's whole state.
LOOK_SECONDS = 3.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    seconds: float
    every_seconds: float
    customers: int
    edits_per_second: float
    seed: int


@dataclass(frozen=True, kw_only=True)
class Soak:
    plan: Plan
    fleet: Fleet
    admin: SandboxAdmin
    announce: Callable[[str], None]
    pause: Callable[[float], object] = Event().wait

    def run(self) -> Outcome:
        customers = customers_of(self.plan)
        self._onboard(customers)
        self._until_level("backfill", BACKFILL_SECONDS)
        with self._sampler(customers) as sampler:
            edits, fired = self._edit(sampler, [customer.name for customer in customers])
            at_rest = self._until_level("rest", REST_SECONDS)
            sampler.sample_at_rest()
            self.announce("audit")
            report = audit(self.fleet.sandbox_url)
            return Outcome(
                findings=judge_all(sampler.series),
                audit=[
                    f"{each.organization} {each.kind} {each.entity_id}: {each.explanation}" for each in report.findings
                ],
                at_rest=at_rest,
                seconds=self.plan.seconds,
                edits=edits,
                faults=fired,
            )

    def _onboard(self, customers: Sequence[DemoCustomer]) -> None:
        self.announce(f"{len(customers)} customers are brought in")
        accesses = self.admin.create_organizations(*({"name": each.name, **each.sandbox} for each in customers))
        for access in accesses:
            self.admin.create_tags(access.name)
        bring_in(self.fleet.environment, customers, accesses)
        self.fleet.start()

    def _edit(self, sampler: Sampler, names: Sequence[str]) -> tuple[int, int]:
        """Gives the edits made, and the faults that happened."""
        plan = self.plan
        self.announce(f"edits and faults for {plan.seconds / 60:g} minutes")
        self.admin.add_faults(*standing_rules())
        self.admin.start_edits(
            seconds=plan.seconds, per_second=plan.edits_per_second, seed=plan.seed, weights=EDIT_WEIGHTS
        )
        coming = list(outages(names, seconds=plan.seconds, seed=plan.seed))
        began = time.monotonic()
        while (elapsed := time.monotonic() - began) < plan.seconds:
            while coming and coming[0].at <= elapsed:
                self.admin.add_faults(coming.pop(0).rule)
            sampler.sample()
            self._tell(elapsed, sampler)
            self.pause(min(plan.every_seconds, max(0.0, plan.seconds - (time.monotonic() - began))))
        fired = sum(hits(self.admin).values())
        made = sum(self.admin.stop_edits()["applied"].values())
        self.admin.clear_faults()
        return made, fired

    def _tell(self, elapsed: float, sampler: Sampler) -> None:
        shown = {name: sampler.latest(name) for name in ("pending", "delay p99", "slots held", "redis memory")}
        line = ", ".join(f"{name} {value:.1f}" for name, value in shown.items())
        self.announce(f"{elapsed:6.0f} s  {line}")

    def _until_level(self, what: str, seconds: float) -> bool:
        """Whether the destination became level with the source, and stayed so for a while."""
        self.announce(what)
        began, level_since = time.monotonic(), None
        while (now := time.monotonic()) - began < seconds:
            level_since = (level_since or now) if is_level(look(self.admin)) else None
            if level_since is not None and now - level_since >= CALM_SECONDS:
                return True
            self.pause(LOOK_SECONDS)
        self.announce(f"{what}: not done after {seconds:g} s")
        return False

    @contextmanager
    def _sampler(self, customers: Sequence[DemoCustomer]) -> Iterator[Sampler]:
        endpoints, partitions = self.fleet.endpoints, Settings().partitions
        engine = create_engine(endpoints.database_url, pool_size=2)
        redis = Redis.from_url(endpoints.broker_url)
        app = make_app("soak", endpoints.broker_url, log_format="json", log_level="WARNING")
        owners = owners_of([each.name for each in customers], sorted(SOURCES["volunteer"].resources), partitions)
        slots = Slots(engine=engine, owners=owners, running=partial(what_runs, app, PROCESSORS + POLLERS))
        try:
            yield Sampler(engine=engine, redis=redis, slots=slots, pids=self.fleet.supervisor.pids)
        finally:
            app.close()
            redis.close()
            engine.dispose()


def said(finding: Finding) -> str:
    return f"{finding.organization} {finding.kind} {finding.entity_id}: {finding.explanation}"


def customers_of(plan: Plan) -> Sequence[DemoCustomer]:
    """The demonstration's, with budgets that never end."""
    return [
        replace(each, sandbox={**each.sandbox, "crm_requests_per_hour": ABUNDANT_REQUESTS_PER_HOUR})
        for each in plan_customers(plan.customers, plan.seed)
    ]
