"""Watches what beat publishes: takes every poll off its lane's queue the moment it gets there."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from redis import Redis

from common.domain.customers import Lane
from common.queueing.names import SWEEP_QUEUE, poll_queue

#: One wait for a message, in seconds: how late the watcher notices that it is to end.
POP_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True)
class Poll:
    """A poll that beat asked for."""

    customer_id: str
    queue: str
    #: Unix seconds; that of the machine that published it, for it is this one.
    at: float
    #: Everything in the message's arguments.
    arguments: Mapping[str, Any]


@contextmanager
def watched_polls(redis: Redis) -> Iterator[list[Poll]]:
    """A list that grows while the block lasts. Nobody else may take from the queues; sweeps are dropped."""
    polls: list[Poll] = []
    over = threading.Event()
    thread = threading.Thread(target=_watch, args=(redis, polls, over), name="watch", daemon=True)
    thread.start()
    try:
        yield polls
    finally:
        over.set()
        thread.join()


def _watch(redis: Redis, polls: list[Poll], over: threading.Event) -> None:
    queues = [poll_queue(lane) for lane in Lane]
    while not over.is_set():
        taken = redis.brpop([*queues, SWEEP_QUEUE], timeout=POP_SECONDS)
        if taken is not None and taken[0].decode() in queues:
            polls.append(_poll(taken[0].decode(), taken[1], time.time()))


def _poll(queue: str, message: bytes, at: float) -> Poll:
    arguments = json.loads(base64.b64decode(json.loads(message)["body"]))[1]
    return Poll(customer_id=arguments["customer_id"], queue=queue, at=at, arguments=arguments)
