"""The hot set: which customers have messages and may be served, per lane, with the time from which they may.

`hot:<lane>` is a sorted set of customer ids by unix seconds. Publishing adds a customer with the present; parking moves
it into the future; a worker consumes those at the head whose time has come. What Redis forgets, the sweep restores.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from importlib.resources import files
from typing import cast

from redis import Redis

from common.domain.customers import Lane
from common.queueing.names import events_queue


class HotSet:
    """The hot sets of all lanes."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        script = (files("common.queueing") / "leave_if_empty.lua").read_text()
        self._leave = client.register_script(script)

    def add(self, lane: Lane, customer_id: str, now: datetime) -> None:
        """Make hot; keeps an earlier turn, and a parking."""
        self._client.zadd(_key(lane), {customer_id: now.timestamp()}, nx=True)

    def make_due(self, lane: Lane, customer_id: str, now: datetime) -> None:
        """Hot now, whatever parking is noted here: only PostgreSQL knows of a parking for certain."""
        self._client.zadd(_key(lane), {customer_id: now.timestamp()}, lt=True)

    def park(self, lane: Lane, customer_id: str, until: datetime) -> None:
        """Not before `until`."""
        self._client.zadd(_key(lane), {customer_id: until.timestamp()}, gt=True)

    def unpark(self, lane: Lane, customer_id: str, now: datetime) -> None:
        """Eligible now, if it is in the set."""
        self._client.zadd(_key(lane), {customer_id: now.timestamp()}, xx=True)

    def settle(self, lane: Lane, customer_id: str, now: datetime) -> None:
        """After a delivery: out if its queue is empty, else to the end of the line."""
        self._leave(keys=[_key(lane), events_queue(customer_id)], args=[customer_id, now.timestamp()])

    def head(self, lane: Lane, now: datetime, limit: int) -> Sequence[str]:
        """Whom to serve: the longest waiting of those that may be served."""
        members = self._client.zrangebyscore(_key(lane), 0, now.timestamp(), start=0, num=limit)
        return [member.decode() for member in cast("list[bytes]", members)]

    def size(self, lane: Lane) -> int:
        return int(self._client.zcard(_key(lane)))

    def depths(self, customer_ids: Iterable[str]) -> dict[str, int]:
        """Messages on each customer's queue."""
        ids = list(customer_ids)
        pipeline = self._client.pipeline(transaction=False)
        for customer_id in ids:
            pipeline.llen(events_queue(customer_id))
        return dict(zip(ids, map(int, pipeline.execute()), strict=True))


def connect_redis(url: str) -> Redis:
    """A client whose calls end: a server that does not answer is an error, not a wait."""
    return Redis.from_url(
        url, socket_timeout=5, socket_connect_timeout=5, socket_keepalive=True, health_check_interval=10
    )


def _key(lane: Lane) -> str:
    return f"hot:{lane}"
