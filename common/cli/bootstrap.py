"""The command line's composition root.

Each part is built when a command first uses it: `fleet dlq list` needs no Redis, and `fleet --help` nothing at all.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import Self

import httpx
from celery import Celery
from prometheus_client import CollectorRegistry
from redis import Redis
from sqlalchemy import Engine

from common.cli.failures import CommandFailed, is_broker_failure, servers_named
from common.config.settings import Settings, load_settings
from common.credentials.master_key import load_master_key
from common.credentials.vault import Vault
from common.domain.backlog import BacklogLimits
from common.domain.breakers import BreakerPolicy
from common.domain.clock import Clock, SystemClock
from common.domain.customers import Customer
from common.domain.layers import Layer
from common.http.client import make_transport
from common.limits.budget import RedisBudget
from common.metrics.catalogue import Metrics
from common.queueing.celery_app import make_app
from common.queueing.deliveries import Deliveries
from common.queueing.hot_set import HotSet, connect_redis
from common.queueing.polls import Polls
from common.storage.backfills import PostgresBackfills
from common.storage.batches import PostgresBatches
from common.storage.breakers import PostgresBreakers
from common.storage.customers import PostgresCustomerStore
from common.storage.dead_letters import PostgresDeadLetters
from common.storage.deletions import PostgresDeletions
from common.storage.delivery import PostgresDeliveryStore
from common.storage.engine import make_engine
from common.storage.keys import PostgresKeyStore
from common.storage.mirrored import PostgresMirror
from common.storage.overview import PostgresOverview
from common.storage.pages import PostgresPages
from common.storage.references import PostgresReferenceCache
from common.storage.replay_facts import PostgresReplayFacts
from common.storage.reviews import PostgresReviews
from common.storage.run_history import PostgresRunHistory
from common.storage.schedule import PostgresSchedule
from common.storage.throttles import PostgresThrottles
from common.storage.usage import PostgresUsage
from common.storage.verified import PostgresVerified

#: A command asks one thing at a time; the second is for a store that is used inside another's work.
CONNECTIONS = 2


class Parts:
    """Everything commands use. A context manager: what was opened is closed at its end."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock: Clock = SystemClock()
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    @cached_property
    def engine(self) -> Engine:
        engine = make_engine(self.settings.require_database_url(), connections=CONNECTIONS, name="fleet")
        self._opened.callback(engine.dispose)
        return engine

    @cached_property
    def customers(self) -> PostgresCustomerStore:
        return PostgresCustomerStore(self.engine, self.clock)

    @cached_property
    def breakers(self) -> PostgresBreakers:
        settings = self.settings
        policy = BreakerPolicy(failures=settings.breaker_failures, first_seconds=settings.breaker_seconds)
        return PostgresBreakers(self.engine, policy, random.Random().random)  # noqa: S311 - jitter, not a secret

    @cached_property
    def backlog_limits(self) -> BacklogLimits:
        return BacklogLimits(backfill=self.settings.backfill_backlog_limit, poll=self.settings.poll_backlog_limit)

    @cached_property
    def overview(self) -> PostgresOverview:
        return PostgresOverview(self.engine)

    @cached_property
    def backfills(self) -> PostgresBackfills:
        return PostgresBackfills(self.engine)

    @cached_property
    def run_history(self) -> PostgresRunHistory:
        return PostgresRunHistory(self.engine)

    @cached_property
    def dead_letters(self) -> PostgresDeadLetters:
        return PostgresDeadLetters(self.engine)

    @cached_property
    def batches(self) -> PostgresBatches:
        return PostgresBatches(self.engine)

    @cached_property
    def replay_facts(self) -> PostgresReplayFacts:
        return PostgresReplayFacts(self.engine)

    @cached_property
    def deletions(self) -> PostgresDeletions:
        return PostgresDeletions(self.engine, partitions=self.settings.partitions)

    @cached_property
    def reviews(self) -> PostgresReviews:
        return PostgresReviews(self.engine)

    @cached_property
    def references(self) -> PostgresReferenceCache:
        return PostgresReferenceCache(self.engine)

    @cached_property
    def mirror(self) -> PostgresMirror:
        return PostgresMirror(self.engine)

    @cached_property
    def verified(self) -> PostgresVerified:
        return PostgresVerified(self.engine)

    @cached_property
    def delivery(self) -> PostgresDeliveryStore:
        return PostgresDeliveryStore(self.engine)

    @cached_property
    def master_key(self) -> bytes:
        return load_master_key(self.settings.master_key, self.settings.state_dir)

    @cached_property
    def vault(self) -> Vault:
        return Vault(self.master_key, self.keys, self.clock)

    @cached_property
    def keys(self) -> PostgresKeyStore:
        return PostgresKeyStore(self.engine)

    @cached_property
    def schedule(self) -> PostgresSchedule:
        return PostgresSchedule(self.engine)

    @cached_property
    def pages(self) -> PostgresPages:
        return PostgresPages(self.engine)

    @cached_property
    def redis(self) -> Redis:
        url = self.settings.require_broker_url()
        try:
            client = connect_redis(url)
        except ValueError:
            raise CommandFailed("FLEET_BROKER_URL is not a Redis URL: use redis://host:port/0") from None
        self._opened.callback(client.close)
        return client

    @cached_property
    def hot_set(self) -> HotSet:
        return HotSet(self.redis)

    @cached_property
    def budget(self) -> RedisBudget:
        return RedisBudget(self.redis, PostgresUsage(self.engine, self.clock), self.clock)

    @cached_property
    def throttles(self) -> PostgresThrottles:
        return PostgresThrottles(self.engine)

    @cached_property
    def metrics(self) -> Metrics:
        return Metrics(CollectorRegistry())

    @cached_property
    def transport(self) -> httpx.Client:
        transport = make_transport(self.settings.http_deadline_seconds)
        self._opened.callback(transport.close)
        return transport

    @cached_property
    def celery(self) -> Celery:
        settings = self.settings
        app = make_app(
            "fleet", settings.require_broker_url(), log_format=settings.log_format, log_level=settings.log_level
        )
        # Its connections are left to the end of the process: kombu pools them by URL, for whoever comes next.
        self._opened.callback(app.close)
        return app

    @cached_property
    def polls(self) -> Polls:
        return Polls(self.celery)

    @cached_property
    def deliveries(self) -> Deliveries:
        return Deliveries(self.celery, self.hot_set, self.clock, self.metrics)

    def hint(
        self,
        customer: Customer,
        *,
        poll: bool = False,
        delivery: bool = False,
        by: str = "fleet",
        layer: Layer = Layer.POLL,
        resources: Sequence[str] | None = None,
    ) -> bool:
        """Tell the workers that there is work. False if Redis cannot be reached: then the sweep tells them later."""
        try:
            self.redis.ping()
            if delivery:
                self.deliveries.publish(customer.customer_id, customer.lane, by=by)
            if poll:
                self.polls.publish(customer.customer_id, customer.lane, layer=layer, resources=resources)
        except Exception as error:
            if is_broker_failure(error):
                return False
            raise
        return True


@contextmanager
def open_parts(settings: Settings | None = None) -> Iterator[Parts]:
    """Parts for one command; failures of the servers come out as CommandFailed that names them."""
    settings = load_settings() if settings is None else settings
    with servers_named(settings), Parts(settings) as parts:
        yield parts
