"""Ask for a poll of a customer."""

from __future__ import annotations

from celery import Celery

from common.domain.customers import Lane
from common.queueing.celery_app import plain_queue
from common.queueing.names import POLL, poll_queue


class Polls:
    """Publishes polls to the lane's queue."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def publish(self, customer_id: str, lane: Lane, *, expires_seconds: float | None = None) -> None:
        """A poll that nobody took within `expires_seconds` is dropped: the next one will do."""
        self._app.send_task(
            POLL,
            kwargs={"customer_id": customer_id},
            queue=plain_queue(poll_queue(lane)),
            expires=expires_seconds,
            kwargsrepr=f"{{'customer_id': '{customer_id}'}}",
        )
