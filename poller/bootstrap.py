"""The poller's composition root: the only place of the poller that reads settings."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
from celery import Celery
from prometheus_client import CollectorRegistry

from common.config.settings import Settings
from common.credentials.master_key import load_master_key
from common.credentials.vault import Vault
from common.domain.backlog import BacklogLimits
from common.domain.batches import Batches
from common.domain.breakers import BreakerPolicy
from common.domain.clock import Clock, SystemClock
from common.domain.customers import Customer, System
from common.domain.fuse import Fuse
from common.domain.limits import Budget, Share, source_policy
from common.domain.nights import NightStore, Pauses
from common.domain.pages import PageHistory
from common.domain.sources import Source
from common.domain.stopping import never
from common.domain.throttles import Brake, Throttles
from common.http.client import ApiClient, make_transport
from common.limits.budget import RedisBudget
from common.metrics.catalogue import Metrics
from common.metrics.serving import serve_metrics
from common.queueing.asked import Asked
from common.queueing.deliveries import Deliveries
from common.queueing.hot_set import HotSet, connect_redis
from common.queueing.polls import Polls
from common.storage.backlog import PostgresBacklog
from common.storage.batches import PostgresBatches
from common.storage.breakers import PostgresBreakers
from common.storage.customers import PostgresCustomerStore
from common.storage.delivery import PostgresDeliveryStore
from common.storage.detection import PostgresDetectionStore
from common.storage.engine import OUTAGES, make_engine
from common.storage.keys import PostgresKeyStore
from common.storage.locks import AdvisoryLocks
from common.storage.night_truth import PostgresNightTruth
from common.storage.nights import PostgresNights
from common.storage.overview import PostgresOverview
from common.storage.pages import PostgresPages
from common.storage.references import PostgresReferenceCache
from common.storage.schedule import PostgresSchedule
from common.storage.sizes import PostgresSizes
from common.storage.throttles import PostgresThrottles
from common.storage.usage import PostgresUsage
from poller.announcing import Announcement
from poller.backpressure import Backpressure
from poller.detectors.backfill import Backfill
from poller.detectors.full import Full
from poller.detectors.incremental import Incremental
from poller.detectors.walk import Walk
from poller.failing import FailureLimit
from poller.nightly import announce, ask_destination, next_slot, resources_of
from poller.nights import NightParts, NightPolicy
from poller.plans import Plans
from poller.probing import probe_source
from poller.run_parts import RunParts
from poller.schedule.timetable import timetable_of
from poller.sources import registry
from poller.unreadable import LetterLimit

#: Sessions of one worker process: its threads hold one at most each, and wait for each other beyond this.
CONNECTIONS = 10


@dataclass(frozen=True, kw_only=True)
class Poller:
    """Everything the poller's tasks use."""

    clock: Clock
    customers: PostgresCustomerStore
    overview: PostgresOverview
    deliveries: Deliveries
    polls: Polls
    run_parts: RunParts
    locks: AdvisoryLocks
    throttles: Throttles
    brake: Brake
    asked: Asked
    sweep_seconds: float
    schedule: PostgresSchedule
    plans: Plans
    nights: NightParts
    batches: Batches
    pages: PageHistory
    pages_kept_for: timedelta

    def resources(self, customer: Customer) -> Sequence[str]:
        return registry.resources(customer)


@dataclass(frozen=True, kw_only=True)
class SourceParts:
    """What opening a source for a customer takes."""

    transport: httpx.Client
    vault: Vault
    budget: Budget
    clock: Clock
    metrics: Metrics
    deadline_seconds: float
    requests_per_minute: int
    #: What the connector wanted kept of a customer.
    plan_of: Callable[[Customer], Mapping[str, Any]]

    def open(self, customer: Customer, share: Share) -> Source:
        """Raises CustomerInvalid if the customer has no token or names an unknown source."""
        definition = registry.definition(customer)
        api = ApiClient(
            transport=self.transport,
            base_url=str(customer.source_settings.get("base_url", definition.base_url)),
            token=self.vault.open(customer.customer_id, System.SOURCE),
            customer_id=customer.customer_id,
            policy=source_policy(customer.source, self.requests_per_minute, lane=customer.lane),
            share=share,
            budget=self.budget,
            clock=self.clock,
            metrics=self.metrics,
            deadline_seconds=self.deadline_seconds,
        )
        return definition.open(api, customer, plan=self.plan_of(customer))


def build(settings: Settings, app: Celery, is_stopping: Callable[[], bool] = never) -> Poller:
    """Connect everything. Raises ConfigurationError if a setting is missing or wrong."""
    clock = SystemClock()
    metrics = Metrics(CollectorRegistry())
    serve_metrics(metrics.registry, settings.metrics_port, settings.metrics_address)
    database_url = settings.require_database_url()
    engine = make_engine(database_url, connections=CONNECTIONS, name="poller")
    redis = connect_redis(settings.require_broker_url())
    customers = PostgresCustomerStore(engine, clock)
    deliveries = Deliveries(app, HotSet(redis), clock, metrics)
    locks = AdvisoryLocks(database_url, application_name="poller")
    random_unit = random.Random().random  # noqa: S311 - jitter, not a secret
    policy = BreakerPolicy(failures=settings.breaker_failures, first_seconds=settings.breaker_seconds)
    breakers = PostgresBreakers(engine, policy, random_unit)
    budget = RedisBudget(redis, PostgresUsage(engine, clock), clock)
    store = PostgresDetectionStore(engine, partitions=settings.partitions)
    plans = Plans(
        references=PostgresReferenceCache(engine),
        sizes=PostgresSizes(engine),
        clock=clock,
        poll_seconds=timetable_of(settings).reading_seconds,
        unplan=store.unplan_scopes,
    )
    sources = SourceParts(
        transport=make_transport(settings.http_deadline_seconds),
        vault=Vault(load_master_key(settings.master_key, settings.state_dir), PostgresKeyStore(engine), clock),
        budget=budget,
        clock=clock,
        metrics=metrics,
        deadline_seconds=settings.http_deadline_seconds,
        requests_per_minute=settings.volunteer_requests_per_minute,
        plan_of=plans.of,
    )
    nights = PostgresNights(engine)
    run_parts = RunParts(
        store=store,
        customers=customers,
        locks=locks,
        clock=clock,
        metrics=metrics,
        walk=Walk(passes=settings.scan_passes, absence=timedelta(seconds=settings.absence_seconds)),
        detector=Incremental(overlap=timedelta(seconds=settings.poll_overlap_seconds), passes=settings.scan_passes),
        full=Full(passes=settings.scan_passes, absence=timedelta(seconds=settings.absence_seconds)),
        backfill=Backfill(passes=settings.scan_passes),
        fuse=Fuse(fraction=settings.deletion_fuse_percent / 100, records=settings.deletion_fuse_records),
        new_id=lambda: uuid.uuid4().hex,
        random_unit=random_unit,
        open_source=sources.open,
        publish=Announcement(deliveries=deliveries, breakers=breakers),
        resources=registry.resources,
        sizes=PostgresSizes(engine),
        slice_seconds=settings.run_slice_seconds,
        breakers=breakers,
        backpressure=Backpressure(
            backlog=PostgresBacklog(engine),
            limits=BacklogLimits(backfill=settings.backfill_backlog_limit, poll=settings.poll_backlog_limit),
            clock=clock,
            metrics=metrics,
        ),
        failure_limit=FailureLimit(
            customers=customers,
            clock=clock,
            metrics=metrics,
            runs=settings.failed_runs_before_pause,
            pause_hours=settings.pause_hours,
        ),
        letter_limit=LetterLimit(
            count=PostgresDeliveryStore(engine).open_dead_letters, letters=settings.dead_letter_limit
        ),
        note_pause=Pauses(nights=nights),
        outages=OUTAGES,
        is_stopping=is_stopping,
    )
    return Poller(
        clock=clock,
        customers=customers,
        overview=PostgresOverview(engine),
        deliveries=deliveries,
        polls=Polls(app, Asked(redis)),
        run_parts=run_parts,
        locks=locks,
        throttles=PostgresThrottles(engine),
        brake=budget,
        asked=Asked(redis),
        sweep_seconds=settings.sweep_seconds,
        schedule=PostgresSchedule(engine),
        plans=plans,
        batches=PostgresBatches(engine),
        pages=PostgresPages(engine),
        pages_kept_for=timedelta(days=settings.pages_kept_days),
        nights=_nights(settings, nights, PostgresNightTruth(engine), run_parts, deliveries),
    )


def _nights(
    settings: Settings, store: NightStore, truth: PostgresNightTruth, parts: RunParts, deliveries: Deliveries
) -> NightParts:
    return NightParts(
        store=store,
        truth=truth,
        customers=parts.customers,
        breakers=parts.breakers,
        locks=parts.locks,
        clock=parts.clock,
        random_unit=parts.random_unit,
        policy=night_policy(settings),
        resources=partial(resources_of, registry.resources),
        probe_source=partial(probe_source, parts),
        ask_destination=partial(ask_destination, deliveries),
        announce=partial(announce, deliveries),
        next_slot=partial(next_slot, timetable_of(settings)),
    )


def night_policy(settings: Settings) -> NightPolicy:
    return NightPolicy(
        window_hours=settings.night_hours,
        failure_percent=settings.night_failure_percent,
        failures_before_pause=settings.failed_runs_before_pause,
        pause_hours=settings.pause_hours,
    )
