"""The processor's composition root: the only place of the processor that reads settings."""

from __future__ import annotations

import multiprocessing
import random
import socket
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
from celery import Celery
from prometheus_client import CollectorRegistry

from common.config.settings import Settings
from common.credentials.master_key import load_master_key
from common.credentials.vault import Vault
from common.domain.breakers import BreakerPolicy
from common.domain.clock import Clock, SystemClock
from common.domain.customers import Customer, System
from common.domain.destinations import Destination
from common.domain.errors import CustomerInvalid
from common.domain.gathering import Linger
from common.domain.limits import Budget, Share, destination_policy
from common.domain.nights import NightStore, Pauses
from common.domain.references import ReferenceCache
from common.domain.stopping import never
from common.http.client import ApiClient, make_transport
from common.limits.budget import RedisBudget
from common.metrics.catalogue import Metrics
from common.metrics.serving import serve_metrics
from common.queueing.deliveries import Deliveries
from common.queueing.hot_set import HotSet, connect_redis
from common.storage.batches import PostgresBatches
from common.storage.breakers import PostgresBreakers
from common.storage.customers import PostgresCustomerStore
from common.storage.delivery import PostgresDeliveryStore
from common.storage.engine import OUTAGES, make_engine
from common.storage.keys import PostgresKeyStore
from common.storage.locks import AdvisoryLocks
from common.storage.nights import PostgresNights
from common.storage.references import PostgresReferenceCache
from common.storage.usage import PostgresUsage
from processor.destinations import registry
from processor.slices import SliceParts

#: Sessions of one worker process: its threads hold one at most each, and wait for each other beyond this.
CONNECTIONS = 10


@dataclass(frozen=True, kw_only=True)
class Processor:
    """Everything the processor's tasks use."""

    clock: Clock
    metrics: Metrics
    customers: PostgresCustomerStore
    deliveries: Deliveries
    slice_parts: SliceParts
    references: ReferenceCache
    nights: NightStore
    linger: Linger = field(default_factory=Linger)


@dataclass(frozen=True, kw_only=True)
class DestinationParts:
    """What opening a destination for a customer takes."""

    transport: httpx.Client
    vault: Vault
    budget: Budget
    clock: Clock
    metrics: Metrics
    references: ReferenceCache
    deadline_seconds: float
    requests_per_hour: int

    def open(self, customer: Customer, share: Share) -> Destination:
        """Raises CustomerInvalid if the customer has no token, or its destination's settings are malformed."""
        definition = registry.definition(customer)
        api = ApiClient(
            transport=self.transport,
            base_url=str(customer.destination_settings.get("base_url", definition.base_url)),
            token=self.vault.open(customer.customer_id, System.DESTINATION),
            customer_id=customer.customer_id,
            policy=destination_policy(customer.destination, self.requests_per_hour, lane=customer.lane),
            share=share,
            budget=self.budget,
            clock=self.clock,
            metrics=self.metrics,
            deadline_seconds=self.deadline_seconds,
        )
        return definition.open(api, customer, self.clock, self.references)


def batch_size(customer: Customer) -> int:
    """Writes in the largest request to its destination; 1 if its settings say none: opening it tells what is wrong."""
    try:
        return registry.definition(customer).batch_size(customer)
    except CustomerInvalid:
        return 1


def build(settings: Settings, app: Celery, is_stopping: Callable[[], bool] = never) -> Processor:
    """Connect everything. Raises ConfigurationError if a setting is missing or wrong."""
    clock = SystemClock()
    metrics = Metrics(CollectorRegistry())
    serve_metrics(metrics.registry, settings.metrics_port, settings.metrics_address)
    database_url = settings.require_database_url()
    engine = make_engine(database_url, connections=CONNECTIONS, name="processor")
    redis = connect_redis(settings.require_broker_url())
    customers = PostgresCustomerStore(engine, clock)
    random_unit = random.Random().random  # noqa: S311 - jitter, not a secret
    destinations = DestinationParts(
        transport=make_transport(settings.http_deadline_seconds),
        vault=Vault(load_master_key(settings.master_key, settings.state_dir), PostgresKeyStore(engine), clock),
        budget=RedisBudget(redis, PostgresUsage(engine, clock), clock),
        clock=clock,
        metrics=metrics,
        references=PostgresReferenceCache(engine),
        deadline_seconds=settings.http_deadline_seconds,
        requests_per_hour=settings.crm_requests_per_hour,
    )
    nights = PostgresNights(engine)
    slice_parts = SliceParts(
        store=PostgresDeliveryStore(engine),
        customers=customers,
        breakers=PostgresBreakers(
            engine,
            BreakerPolicy(failures=settings.breaker_failures, first_seconds=settings.breaker_seconds),
            random_unit,
        ),
        locks=AdvisoryLocks(database_url, application_name="processor"),
        clock=clock,
        metrics=metrics,
        new_id=lambda: uuid.uuid4().hex,
        random_unit=random_unit,
        open_destination=destinations.open,
        slice_events=settings.slice_events,
        slice_seconds=settings.slice_seconds,
        dead_letter_limit=settings.dead_letter_limit,
        batch_size=batch_size,
        baselines=PostgresBatches(engine).baselines,
        note_pause=Pauses(nights=nights),
        outages=OUTAGES,
        is_stopping=is_stopping,
        worker=f"{socket.gethostname()}:{multiprocessing.current_process().pid}",
    )
    return Processor(
        clock=clock,
        metrics=metrics,
        customers=customers,
        deliveries=Deliveries(app, HotSet(redis), clock, metrics),
        slice_parts=slice_parts,
        references=destinations.references,
        nights=nights,
        linger=Linger(live_seconds=settings.linger_seconds, backfill_seconds=settings.backfill_linger_seconds),
    )
