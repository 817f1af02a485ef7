"""The hub in this process: the product's own parts on real servers, with the queue driven by hand.

Tests call `poll` and `deliver` where Celery would; everything below those calls is the product.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from redis import Redis
from sqlalchemy import Engine, func, select

from common.credentials.vault import Vault
from common.domain.backlog import BacklogLimits
from common.domain.breakers import BreakerPolicy
from common.domain.clock import Clock, SystemClock
from common.domain.customers import LANE_OF_TIER, Customer, Tier
from common.domain.limits import Budget
from common.domain.nights import Pauses
from common.domain.resources import USERS
from common.http.client import make_transport
from common.limits.budget import RedisBudget
from common.metrics.catalogue import Metrics
from common.storage.backlog import PostgresBacklog
from common.storage.batches import PostgresBatches
from common.storage.breakers import PostgresBreakers
from common.storage.customers import PostgresCustomerStore
from common.storage.dead_letters import PostgresDeadLetters
from common.storage.delivery import PostgresDeliveryStore
from common.storage.detection import PostgresDetectionStore
from common.storage.keys import PostgresKeyStore
from common.storage.locks import AdvisoryLocks
from common.storage.nights import PostgresNights
from common.storage.overview import PostgresOverview
from common.storage.references import PostgresReferenceCache
from common.storage.sizes import PostgresSizes
from common.storage.tables import events
from common.storage.usage import PostgresUsage
from deploy.sandbox.client import Access
from poller import runs
from poller.backpressure import Backpressure
from poller.bootstrap import SourceParts
from poller.detectors.incremental import Incremental
from poller.detectors.walk import Walk
from poller.failing import FailureLimit
from poller.plans import Plans
from poller.run_parts import RunParts
from poller.sources import registry
from poller.sources.registry import SOURCES
from poller.unreadable import LetterLimit
from processor.bootstrap import DestinationParts, batch_size
from processor.delivery import deliver
from processor.slices import SliceParts
from support.servers import Servers

MASTER_KEY = bytes(range(32))


class Running(SystemClock):
    """The time of another clock, and a monotonic side that runs: budgets hold it against that of a real Redis."""

    def __init__(self, told: Clock) -> None:
        self._told = told

    def now(self) -> datetime:
        return self._told.now()


@dataclass
class Hub:
    """One worker's worth of product. Build a second one on the same servers for a second worker."""

    engine: Engine
    servers: Servers
    redis: Redis
    clock: Clock = field(default_factory=SystemClock)
    seed: int = 1
    http_deadline_seconds: float = 2.0
    dead_letter_limit: int = 100
    slice_events: int = 200
    breaker_policy: BreakerPolicy = field(default_factory=BreakerPolicy)
    #: None: on the real Redis, which knows when a clock of ours is set.
    budget: Budget | None = None
    published: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.metrics = Metrics(CollectorRegistry())
        self.customers = PostgresCustomerStore(self.engine, self.clock)
        self.overview = PostgresOverview(self.engine)
        self.dead_letters = PostgresDeadLetters(self.engine)
        self.references = PostgresReferenceCache(self.engine)
        self.vault = Vault(MASTER_KEY, PostgresKeyStore(self.engine), self.clock)
        self.locks = AdvisoryLocks(self.servers.database_url, application_name="test")
        usage = PostgresUsage(self.engine, self.clock)
        self.budget = self.budget or RedisBudget(self.redis, usage, Running(self.clock))
        self.transport = make_transport(self.http_deadline_seconds)
        ids = itertools.count(1)
        self._new_id: Callable[[], str] = lambda: f"id-{self.seed}-{next(ids)}"
        self.breakers = PostgresBreakers(self.engine, self.breaker_policy, lambda: 0.0)
        self.store = PostgresDetectionStore(self.engine, partitions=4)
        self.plans = self._plans()
        self.nights = PostgresNights(self.engine)
        self.run_parts = self._run_parts()
        self.slice_parts = self._slice_parts()

    def close(self) -> None:
        self.locks.close()
        self.transport.close()

    def onboard(
        self,
        access: Access,
        *,
        tier: Tier = Tier.PREMIUM,
        source_settings: Mapping[str, Any] | None = None,
        **destination: Any,
    ) -> Customer:
        settings = {"base_url": access.crm_base_url, "visibility_seconds": 0, **destination}
        customer = Customer(
            customer_id=access.name,
            name=access.name,
            tier=tier,
            lane=LANE_OF_TIER[tier],
            source_settings={"base_url": access.volunteer_base_url, **(source_settings or {})},
            destination_settings=settings,
        )
        self.customers.add(customer)
        self.vault.put(customer.customer_id, "source", SecretStr(access.volunteer_token))
        self.vault.put(customer.customer_id, "destination", SecretStr(access.crm_token))
        return customer

    def poll(self, customer_id: str, resource: str = "users") -> Any:
        return runs.run(self.run_parts, self.customers.get(customer_id), resource)

    def poll_all(self, customer_id: str) -> dict[str, Any]:
        """Every resource once, in the order of the source."""
        names = SOURCES[self.customers.get(customer_id).source].resources
        return {name: self.poll(customer_id, name) for name in names}

    def deliver(self, customer_id: str) -> bool:
        """As the task does: nothing of a customer that is parked or paused."""
        customer = self.customers.get(customer_id)
        if customer.is_parked(self.clock.now()) or not customer.may_be_applied:
            return False
        return deliver(self.slice_parts, customer)

    def deliver_all(self, customer_id: str, *, rounds: int = 500) -> None:
        """Deliver until nothing is due now."""
        for _ in range(rounds):
            if not self.deliver(customer_id):
                return
        raise AssertionError(f"{customer_id} still has due events after {rounds} deliveries")

    def states(self, customer_id: str) -> dict[str, int]:
        return self.overview.event_states(customer_id)

    def applied(self, customer_id: str, resource: str = USERS) -> int:
        """Events of one resource."""
        own = {"customer_id": customer_id, "resource": resource, "state": "applied"}
        with self.engine.connect() as connection:
            return int(connection.execute(select(func.count()).select_from(events).filter_by(**own)).scalar_one())

    def is_done(self, customer_id: str) -> bool:
        states = self.states(customer_id)
        return not states.get("pending") and not states.get("submitted")

    def _plans(self) -> Plans:
        return Plans(
            references=self.references, sizes=PostgresSizes(self.engine), clock=self.clock,
            poll_seconds=lambda _: 300.0, unplan=self.store.unplan_scopes,
        )  # fmt: skip

    def _run_parts(self) -> RunParts:
        sources = SourceParts(
            transport=self.transport, vault=self.vault, budget=self.budget, clock=self.clock, metrics=self.metrics,
            deadline_seconds=self.http_deadline_seconds, requests_per_minute=10_000, plan_of=self.plans.of,
        )  # fmt: skip
        return RunParts(
            store=self.store,
            customers=self.customers,
            locks=self.locks,
            clock=self.clock,
            metrics=self.metrics,
            walk=Walk(passes=3, absence=timedelta(0)),
            detector=Incremental(overlap=timedelta(seconds=2), passes=3),
            new_id=self._new_id,
            random_unit=random.Random(self.seed).random,
            open_source=sources.open,
            publish=lambda customer: self.published.append(customer.customer_id),
            resources=registry.resources,
            sizes=PostgresSizes(self.engine),
            slice_seconds=60,
            letter_limit=LetterLimit(count=PostgresDeliveryStore(self.engine).open_dead_letters),
            note_pause=Pauses(nights=self.nights),
            breakers=self.breakers,
            backpressure=self.backpressure(BacklogLimits()),
            failure_limit=FailureLimit(customers=self.customers, clock=self.clock, metrics=self.metrics),
        )

    def backpressure(self, limits: BacklogLimits) -> Backpressure:
        backlog = PostgresBacklog(self.engine)
        return Backpressure(backlog=backlog, limits=limits, clock=self.clock, metrics=self.metrics)

    def _slice_parts(self) -> SliceParts:
        destinations = DestinationParts(
            transport=self.transport, vault=self.vault, budget=self.budget, clock=self.clock, metrics=self.metrics,
            references=self.references, deadline_seconds=self.http_deadline_seconds,
            requests_per_hour=100_000,
        )  # fmt: skip
        return SliceParts(
            store=PostgresDeliveryStore(self.engine),
            customers=self.customers,
            breakers=self.breakers,
            locks=self.locks,
            clock=self.clock,
            metrics=self.metrics,
            new_id=self._new_id,
            random_unit=random.Random(self.seed).random,
            open_destination=destinations.open,
            slice_events=self.slice_events,
            slice_seconds=30,
            note_pause=Pauses(nights=self.nights),
            dead_letter_limit=self.dead_letter_limit,
            batch_size=batch_size,
            baselines=PostgresBatches(self.engine).baselines,
        )

    def with_slice_parts(self, **changes: Any) -> None:
        self.slice_parts = replace(self.slice_parts, **changes)

    def with_run_parts(self, **changes: Any) -> None:
        self.run_parts = replace(self.run_parts, **changes)
