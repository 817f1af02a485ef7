"""A Redis transport that serves customers in turn: one consumed name per lane stands for all its customers' queues.

Why not kombu's own consumption: it names every subscribed queue at every pop (1.3 ms a task at ten queues, 19 ms at
5,000), takes turns per process and by message only, and forgets a message whose worker is killed between the pop and
the note of it. Here one script does all three at once, in the order of turns of the whole fleet, at a cost that grows
with the logarithm of the number of hot customers. The queues stay ordinary lists, `events.<customer_id>`.

Only two of kombu's hooks are replaced: what is sent when a worker is ready to pop, and how the reply is read. All else
(event loop, acknowledgement, restoring, reconnects) is kombu's, which `pyproject.toml` therefore bounds to 5.7.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Sequence
from importlib.resources import files
from queue import Empty
from typing import Any

import structlog
from kombu.transport import redis as kombu_redis
from kombu.transport.virtual import QoS as VirtualQoS
from kombu.utils.encoding import bytes_to_str
from kombu.utils.json import loads
from redis.exceptions import NoScriptError

from common.domain.customers import Lane
from common.domain.lanes import LANE_TERMS
from common.queueing.names import EVENTS_PREFIX, LANE_PREFIX, UNREADABLE, bell, hot_set_key, lane_queue

log = structlog.get_logger(__name__)

#: For the setting `broker_transport` of a worker that serves lanes.
TRANSPORT = "common.queueing.transport:LaneTransport"
#: A worker with nothing to do waits this long for a bell, then looks again by itself.
LONGEST_WAIT_SECONDS = 1.0
#: Somebody was passed by who has all the slots it may have: one of them may be free by then.
PASSED_BY_WAIT_SECONDS = 0.05
#: Redis waits for ever on 0, and by whole milliseconds below that.
SHORTEST_WAIT_SECONDS = 0.001


class LaneQoS(kombu_redis.QoS):
    """What is popped and not acknowledged; the script has noted it in Redis already."""

    def append(self, message: Any, delivery_tag: str) -> None:
        if self.channel.taken_tag == delivery_tag:
            self.channel.taken_tag = None
            VirtualQoS.append(self, message, delivery_tag)
        else:
            super().append(message, delivery_tag)

    def at_their_share(self, slots: int) -> list[str]:
        """Customers that hold `slots` or more of this worker's."""
        held = Counter(
            message.delivery_info["routing_key"] for tag, message in self._delivered.items() if tag not in self._dirty
        )
        return [queue.removeprefix(EVENTS_PREFIX) for queue, count in held.items() if count >= slots]


class LaneChannel(kombu_redis.Channel):
    """Pops by script if it consumes lanes, and by kombu's own way if not."""

    QoS = LaneQoS
    from_transport_options = (*kombu_redis.Channel.from_transport_options, "customer_slots")
    #: Deliveries of one customer that this worker works on at a time.
    customer_slots = 2

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.taken_tag: str | None = None
        self._script = (files("common.queueing") / "take.lua").read_text()
        self._sha = ""
        self._asked: str | None = None
        self._lanes: list[Lane] = []
        #: Seconds to wait for a bell before looking again; None: look at once.
        self._wait_seconds: float | None = None
        #: When Redis last answered; the worker's watchdog looks at it.
        self.answered_at = time.monotonic()
        super().__init__(*args, **kwargs)

    def _brpop_start(self, timeout: float | None = None) -> None:
        self._lanes = [lane for lane in Lane if lane_queue(lane) in self.active_queues]
        if not self._lanes:
            self._asked = None
            super()._brpop_start(timeout)
            return
        connection = self.client.connection
        self._in_poll, self._brpop_sent_at = connection, time.monotonic()
        self._asked = "EVALSHA" if self._wait_seconds is None else "BRPOP"
        connection.send_command(*(self._take() if self._wait_seconds is None else self._listen(self._wait_seconds)))

    def _take(self) -> Sequence[str | int]:
        keys = [self.unacked_index_key, self.unacked_key, UNREADABLE, *map(hot_set_key, self._lanes)]
        weights = [LANE_TERMS[lane].weight for lane in self._lanes]
        passed_by = self.qos.at_their_share(self.customer_slots)
        command = ("EVALSHA", self._sha) if self._sha else ("EVAL", self._script)
        return [*command, len(keys), *keys, EVENTS_PREFIX, len(self._lanes), *weights, *passed_by]

    def _listen(self, seconds: float) -> Sequence[str | float]:
        others = [queue for queue in self.active_queues if not queue.startswith(LANE_PREFIX)]
        return ["BRPOP", *others, *map(bell, self._lanes), max(SHORTEST_WAIT_SECONDS, seconds)]

    def _brpop_read(self, **options: Any) -> bool:
        if self._asked is None:
            self.answered_at = time.monotonic()
            return bool(super()._brpop_read(**options))
        try:
            return self._deliver_reply(self._reply(**options))
        finally:
            self._in_poll = None
            self._flush_brpop_reauth()

    def _reply(self, **options: Any) -> Any:
        try:
            reply = self.client.parse_response(self.client.connection, self._asked, **options)
        except NoScriptError:  # Redis was restarted
            self._sha = ""
            raise Empty from None
        except self.connection_errors:
            # The next turn of the loop connects anew.
            self.client.connection.disconnect()
            self._wait_seconds = None
            raise
        self.answered_at = time.monotonic()
        return reply

    def _deliver_reply(self, reply: Any) -> bool:
        if self._asked == "BRPOP":
            self._wait_seconds = None
            return self._deliver_other(reply)
        self._sha = self._sha or hashlib.sha1(self._script.encode(), usedforsecurity=False).hexdigest()
        item, second, third = reply
        if item is None:
            self._wait_seconds = self._next_look(int(second) / 1000, passed_by=third == b"1")
            raise Empty
        self._wait_seconds = None
        message = loads(bytes_to_str(item))
        self.taken_tag = message["properties"]["delivery_tag"]
        self.connection._deliver(message, lane_queue(self._lanes[int(third) - 1]))  # noqa: SLF001 - as kombu's own channel does
        return True

    def _deliver_other(self, reply: Any) -> bool:
        """A message of a plain queue that this worker consumes besides; a bell, or nothing, is no message."""
        if not reply or bytes_to_str(reply[0]) in map(bell, self._lanes):
            raise Empty
        self.connection._deliver(loads(bytes_to_str(reply[1])), bytes_to_str(reply[0]))  # noqa: SLF001 - the same
        return True

    @staticmethod
    def _next_look(seconds: float, *, passed_by: bool) -> float | None:
        if passed_by:
            return PASSED_BY_WAIT_SECONDS
        return min(seconds, LONGEST_WAIT_SECONDS) if seconds > 0 else None


class LaneTransport(kombu_redis.Transport):
    """kombu's Redis transport with channels that serve lanes."""

    Channel = LaneChannel
