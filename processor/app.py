"""The processor's Celery app: `celery -A processor.app worker`, `... flower`.

The app is built when `app` is first asked for, and connects when the worker starts: importing does nothing.
"""

from __future__ import annotations

from typing import Any

from celery import Celery

from common.config.settings import load_settings
from common.domain.clock import SystemClock
from common.domain.errors import ConfigurationError
from common.queueing.celery_app import make_app, plain_queue
from common.queueing.inspection import report_all_queues
from common.queueing.lanes import serve_lanes
from common.queueing.names import lane_queue
from common.queueing.once import Once
from common.queueing.routing import route_by_customer
from common.queueing.stopping import keep_stopping
from common.queueing.watchdog import Watchdog, keep_watch
from common.storage.customers import open_customers
from processor.bootstrap import build
from processor.tasks import declare_tasks

#: Where a task would go that names no customer: there is none.
DEFAULT_QUEUE = "processor"


def build_app() -> Celery:
    """Raises ConfigurationError if a setting is missing or unknown."""
    settings = load_settings()
    app = make_app(
        "processor",
        settings.require_broker_url(),
        log_format=settings.log_format,
        log_level=settings.log_level,
        customer_slots=settings.customer_slots,
        task_queues=[plain_queue(lane_queue(lane)) for lane in settings.lanes],
        task_default_queue=DEFAULT_QUEUE,
    )
    stopping = keep_stopping()
    processor = Once(lambda: build(settings, app, stopping))
    # What a person calls by hand needs to know a customer's lane, and nothing else of a worker.
    customers = Once(lambda: open_customers(settings.require_database_url(), name="processor call"))
    app.conf.task_routes = [route_by_customer(lambda customer_id: customers().get(customer_id).lane)]
    serve_lanes(app, lane_queue)
    keep_watch(app, Watchdog(SystemClock()))
    report_all_queues(lambda lanes: [c.customer_id for c in processor().customers.served() if c.lane in lanes])
    declare_tasks(app, processor)
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
