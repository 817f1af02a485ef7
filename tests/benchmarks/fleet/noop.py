"""A worker whose deliveries do nothing: `celery -A benchmarks.fleet.noop worker`. What is left is the queue's cost.

`BENCH_QUEUES` says what it consumes: `lanes`, by the product's own transport, or a number: that many customers' queues
by kombu's stock one. A customer may hold all slots: held to its share, one queue alone would be slower than many.
When each delivery was received, and whose it was, goes into the file `BENCH_RECORD`.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import task_received, worker_ready

from benchmarks.fleet.accounts import names
from benchmarks.fleet.drain import CONCURRENCY, LANES
from common.domain.clock import SystemClock
from common.domain.customers import Lane
from common.queueing.celery_app import make_app, plain_queue
from common.queueing.lanes import serve_lanes
from common.queueing.names import DELIVER, EVENTS_PREFIX, events_queue, lane_queue
from common.queueing.tasks import declare_task
from common.queueing.watchdog import Watchdog, keep_watch

#: Seconds between two writes of what was received: seldom enough to cost nothing.
WRITE_SECONDS = 0.1


def build_app(broker_url: str, consumed: str) -> Celery:
    by_lane = consumed == LANES
    queues = map(lane_queue, Lane) if by_lane else map(events_queue, names(int(consumed)))
    app = make_app(
        "processor", broker_url, log_format="json", log_level="WARNING", customer_slots=CONCURRENCY,
        task_queues=[*map(plain_queue, queues)], task_default_queue="processor",
    )  # fmt: skip
    if by_lane:
        serve_lanes(app, lane_queue)
        keep_watch(app, Watchdog(SystemClock()))
    declare_task(app, DELIVER, lambda customer_id: None)
    return app


class Record:
    """Lines of `<monotonic seconds> <customer>`, in the order in which the worker took them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: list[str] = []

    def note(self, sender: Any = None, request: Any = None, **_: Any) -> None:
        queue = request.delivery_info["routing_key"]
        self._lines.append(f"{time.monotonic():.6f} {queue.removeprefix(EVENTS_PREFIX)}\n")

    def keep(self, **_: Any) -> None:
        self._path.write_text("")
        threading.Thread(target=self._write, name="record", daemon=True).start()

    def _write(self) -> None:
        while True:
            time.sleep(WRITE_SECONDS)
            lines, self._lines = self._lines, []
            with self._path.open("a") as file:
                file.writelines(lines)


app = build_app(os.environ["FLEET_BROKER_URL"], os.environ["BENCH_QUEUES"])
record = Record(Path(os.environ["BENCH_RECORD"]))
task_received.connect(record.note, weak=False)
worker_ready.connect(record.keep, weak=False)
