"""Which lanes a worker serves: `celery -A processor.app worker --lane priority --lane standard`.

Without the option it serves those of FLEET_LANES, which are all by default.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from celery import Celery, bootsteps
from click import Choice, Option

from common.domain.customers import Lane
from common.queueing.transport import TRANSPORT


def serve_lanes(app: Celery, queue_of: Callable[[Lane], str], *, besides: Sequence[str] = ()) -> None:
    """Give the app's worker the option; `besides` are queues it consumes whatever its lanes."""

    class Lanes(bootsteps.Step):
        def __init__(self, parent: Any, lane: Sequence[str] = (), **_: Any) -> None:
            # Workers alone take turns; Flower and whoever publishes keep kombu's own transport.
            parent.app.conf.broker_transport = TRANSPORT
            if lane:
                parent.app.amqp.queues.select([*(queue_of(Lane(name)) for name in lane), *besides])

    # One option object an app: Celery keeps them in a set, and adds each to the command's parameters.
    option = Option(
        ["--lane"],
        multiple=True,
        type=Choice([lane.value for lane in Lane]),
        help="Serve this lane; repeatable.",
    )
    app.user_options["worker"].add(option)
    app.steps["worker"].add(Lanes)
