"""The poller's Celery app: `celery -A poller.app worker`, `... beat`, `... call poller.poll --kwargs '{...}'`.

The app is built when `app` is first asked for, and connects when the first message arrives: importing does nothing.
"""

from __future__ import annotations

from typing import Any

from celery import Celery

from common.config.settings import load_settings
from common.domain.clock import SystemClock
from common.domain.errors import ConfigurationError
from common.queueing.celery_app import make_app, plain_queue
from common.queueing.lanes import serve_lanes
from common.queueing.names import SWEEP_QUEUE, poll_queue
from common.queueing.once import Once
from common.queueing.routing import route_by_customer
from common.queueing.stopping import keep_stopping
from common.queueing.watchdog import Watchdog, keep_watch
from common.storage.customers import open_customers
from poller.bootstrap import build
from poller.schedule.scheduler import scheduler_class
from poller.tasks import declare_tasks


def build_app() -> Celery:
    """Raises ConfigurationError if a setting is missing or unknown."""
    settings = load_settings()
    queues = [*(plain_queue(poll_queue(lane)) for lane in settings.lanes), plain_queue(SWEEP_QUEUE)]
    app = make_app(
        "poller",
        settings.require_broker_url(),
        log_format=settings.log_format,
        log_level=settings.log_level,
        task_queues=queues,
        task_default_queue=SWEEP_QUEUE,
    )
    stopping = keep_stopping()
    poller = Once(lambda: build(settings, app, stopping))
    # What a person calls by hand needs to know a customer's lane, and nothing else of a worker.
    customers = Once(lambda: open_customers(settings.require_database_url(), name="poller call"))
    app.conf.task_routes = [route_by_customer(lambda customer_id: customers().get(customer_id).lane)]
    app.conf.beat_scheduler = scheduler_class(settings, poller)
    serve_lanes(app, poll_queue, besides=[SWEEP_QUEUE])
    keep_watch(app, Watchdog(SystemClock()))
    # A look at the clock this often: what is due is published at most this late.
    app.conf.beat_max_loop_interval = 0.5
    declare_tasks(app, poller)
    return app


_app = Once(build_app)


def __getattr__(name: str) -> Any:
    if name != "app":
        raise AttributeError(name)
    try:
        return _app()
    except ConfigurationError as error:
        # For a person at a shell: Celery would show where it was raised, which tells them nothing.
        raise SystemExit(f"error: {error}") from None
