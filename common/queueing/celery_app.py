"""The Celery configuration that both apps share. Figures and traps: facts/celery.md, sections 1, 5 and 7."""

from __future__ import annotations

import ssl
from typing import Any

from celery import Celery
from celery.signals import setup_logging
from kombu.entity import Exchange, Queue

from common.logs.setup import configure_logs

#: Longer than the longest task, which keeps a deadline of its own well under a minute: nothing is delivered twice
#: early.
VISIBILITY_TIMEOUT_SECONDS = 300
#: A worker looks for messages of dead workers this often; with a throttle of 1 that is also the true period.
RESTORE_INTERVAL_SECONDS = 5
#: A broker that does not answer for this long is gone; without it a publish on a dead connection waits for ever.
SOCKET_TIMEOUT_SECONDS = 15
#: One wait for a message takes this long at most, then the worker asks again.
POP_SECONDS = 1.0


def make_app(
    name: str, broker_url: str, *, log_format: str, log_level: str, customer_slots: int = 2, **options: Any
) -> Celery:
    """A Celery app that declares nothing and connects to nothing yet."""
    app = Celery(name, broker=broker_url, set_as_current=False)
    app.conf.update(_configuration(customer_slots), **options)
    if broker_url.startswith("rediss://"):
        # kombu would trust anybody, with a warning.
        app.conf.broker_use_ssl = {"ssl_cert_reqs": ssl.CERT_REQUIRED}

    @setup_logging.connect(weak=False)
    def configure(**_: Any) -> None:
        configure_logs(log_format=log_format, level=log_level)

    return app


def plain_queue(name: str) -> Queue:
    """A queue behind the anonymous exchange: publishing is one LPUSH, and no binding keys are left in Redis."""
    return Queue(name, Exchange(""), routing_key=name)  # type: ignore[no-untyped-call]


def _configuration(customer_slots: int) -> dict[str, Any]:
    return {
        "accept_content": ["json"],
        "task_serializer": "json",
        "event_serializer": "json",
        "task_ignore_result": True,
        "task_acks_late": True,
        # Failures are recorded in PostgreSQL, and the sweep repeats them: a message is never the only copy.
        "task_acks_on_failure": True,
        "task_acks_on_timeout": True,
        "task_reject_on_worker_lost": True,
        "task_create_missing_queues": True,
        "task_publish_retry_policy": {"max_retries": 3, "interval_start": 0, "interval_step": 0.2, "interval_max": 1},
        "task_send_sent_event": False,
        "worker_prefetch_multiplier": 1,
        "worker_send_task_events": True,
        "worker_pool": "threads",
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_hijack_root_logger": False,
        "broker_connection_retry_on_startup": True,
        "broker_transport_options": {
            "visibility_timeout": VISIBILITY_TIMEOUT_SECONDS,
            "unacked_restore_interval": RESTORE_INTERVAL_SECONDS,
            "unacked_restore_throttle": 1,
            "priority_steps": [0],
            "polling_interval": POP_SECONDS,
            "socket_timeout": SOCKET_TIMEOUT_SECONDS,
            "socket_connect_timeout": 5,
            "socket_keepalive": True,
            "health_check_interval": 10,
            "customer_slots": customer_slots,
        },
        "timezone": "UTC",
        "enable_utc": True,
    }
