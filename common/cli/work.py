"""`fleet poll` and `fleet migrate`: one thing, now."""

from __future__ import annotations

from common.cli.bootstrap import open_parts
from common.cli.options import AsJson, CustomerId, operator
from common.cli.output import note, show
from common.cli.readings import served
from common.domain.customers import Mode
from common.queueing.names import poll_queue
from common.storage import schema


def poll(customer_id: CustomerId, as_json: AsJson = False) -> None:
    """Poll a customer now."""
    with open_parts() as parts:
        customer = served(parts, customer_id)
        parts.redis.ping()
        parts.polls.publish(customer_id, customer.lane)
        parts.customers.note(customer_id, actor=operator(), action="poll.asked_for")
    queue = poll_queue(customer.lane)
    data = {"customer_id": customer_id, "queue": queue}
    show(data, as_json=as_json, human=lambda: f"{customer_id}: a poll is on {queue}")
    if not customer.is_active:
        note(f"{customer_id} is paused, so that the poll will do nothing")
    elif customer.mode is Mode.NIGHTLY:
        note(f"{customer_id} is nightly, so that its next night reads; `fleet nights run {customer_id}` opens one now")


def migrate(as_json: AsJson = False) -> None:
    """Bring the database to the newest schema. Safe to run at any time, from many machines."""
    with open_parts() as parts:
        schema.upgrade(parts.engine)
    show({"schema": "newest"}, as_json=as_json, human=lambda: "the schema is the newest")
