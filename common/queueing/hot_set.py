"""The hot set: which customers have messages and may be served, per lane, in the order of their turns.

`hot:<lane>` is a sorted set of customer ids by unix seconds: of a customer's last turn, or of when it may be served
again. Publishing adds a customer; parking moves it into the future; `take.lua` serves the one that has waited longest
and removes those whose queue is empty. What Redis forgets, the sweep restores.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from importlib.resources import files
from typing import cast

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from common.domain.customers import Lane
from common.queueing.names import bell, events_queue, hot_set_key


class HotSet:
    """The hot sets of all lanes."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        scripts = files("common.queueing")
        self._announce = client.register_script((scripts / "announce.lua").read_text())
        self._move = client.register_script((scripts / "move.lua").read_text())

    def add(self, lane: Lane, customer_id: str) -> None:
        """Make hot and wake a worker; keeps an earlier turn, and a parking."""
        self._announce(keys=[hot_set_key(lane), bell(lane)], args=[customer_id, "0"])

    def make_due(self, lane: Lane, customer_id: str) -> None:
        """Hot now, whatever parking is noted here: only PostgreSQL knows of a parking for certain."""
        self._announce(keys=[hot_set_key(lane), bell(lane)], args=[customer_id, "1"])

    def park(self, lane: Lane, customer_id: str, until: datetime) -> None:
        """Not before `until`."""
        self._client.zadd(hot_set_key(lane), {customer_id: until.timestamp()}, gt=True)

    def move(self, customer_id: str, old_lane: Lane, new_lane: Lane) -> bool:
        """Take its place in the line to another lane. False if it had none."""
        if old_lane is new_lane:
            return False
        return bool(self._move(keys=[hot_set_key(old_lane), hot_set_key(new_lane)], args=[customer_id]))

    def drop(self, customer_id: str, lane: Lane) -> None:
        """Take a customer out of the set, and leave its queue as it is."""
        self._client.zrem(hot_set_key(lane), customer_id)

    def forget(self, customer_id: str, lane: Lane) -> int:
        """Remove a customer and its queue; returns how many messages went with it."""
        pipeline = self._client.pipeline(transaction=True)
        pipeline.llen(events_queue(customer_id))
        pipeline.delete(events_queue(customer_id))
        pipeline.zrem(hot_set_key(lane), customer_id)
        return int(pipeline.execute()[0])

    def head(self, lane: Lane, now: datetime, limit: int) -> Sequence[str]:
        """Who is next: the longest waiting of those that may be served."""
        members = self._client.zrangebyscore(hot_set_key(lane), 0, now.timestamp(), start=0, num=limit)
        return [member.decode() for member in cast("list[bytes]", members)]

    def members(self, lane: Lane) -> Mapping[str, float]:
        """Everybody in the set, by unix seconds."""
        rows = cast("list[tuple[bytes, float]]", self._client.zrange(hot_set_key(lane), 0, -1, withscores=True))
        return {member.decode(): score for member, score in rows}

    def size(self, lane: Lane) -> int:
        return int(self._client.zcard(hot_set_key(lane)))

    def depths(self, customer_ids: Iterable[str]) -> dict[str, int]:
        """Messages on each customer's queue."""
        ids = list(customer_ids)
        pipeline = self._client.pipeline(transaction=False)
        for customer_id in ids:
            pipeline.llen(events_queue(customer_id))
        return dict(zip(ids, map(int, pipeline.execute()), strict=True))


def connect_redis(url: str) -> Redis:
    """A client whose calls end: a server that does not answer is an error, not a wait.

    Tried twice, for a connection may have died unnoticed; by itself redis-py would try for some eight seconds, with a
    worker's slot in hand.
    """
    return Redis.from_url(
        url,
        socket_timeout=5,
        socket_connect_timeout=5,
        socket_keepalive=True,
        health_check_interval=10,
        retry=Retry(NoBackoff(), 1),
    )
