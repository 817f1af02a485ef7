"""The budget in Redis.

Why a bucketed window and not GCRA: an hourly limit must allow a burst of a hundred requests now and still hold in any
hour; a window of counters does that exactly, to one sixtieth of its length on the safe side, and says when the next
request is free. The hash never expires: a missing one means that Redis has forgotten, and then the budget starts
closed, until the window has passed or, where answers carry the system's own count, until one probing request has been
answered. A step of the server's clock counts as forgetting (see `witness`), and so does another server in its place: a
crash tears off the end of its log, and with it the last of the counts.

Between machines only durations travel: the script says how long to wait, and the moment told is on the caller's clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any, Protocol

import structlog
from redis import Redis
from redis.commands.core import Script
from redis.exceptions import RedisError

from common.domain.clock import Clock
from common.domain.errors import BudgetExhausted, BudgetUnavailable
from common.domain.limits import (
    LONGEST_CLOSE_SECONDS,
    SHARE_FRACTIONS,
    THROTTLE_RECHECK_SECONDS,
    BudgetPolicy,
    RateHints,
    Share,
)
from common.domain.throttles import Throttle
from common.limits.witness import Reading, Witness

log = structlog.get_logger(__name__)

#: Counters a window is cut into: the limit is used to within a sixtieth, and a hash stays near 60 small fields.
BUCKETS = 60

TAKEN, LATER, UNKNOWN = 0, 1, 2
THROTTLES_KEY = "throttles"
#: When the server's clock was last stepped, as far as any process saw it.
MARK_KEY = "budget_clock"
#: Which server counted: after a crash another one goes on, perhaps without the last of the counts.
SERVER_KEY = "budget_server"


class Usage(Protocol):
    """The durable side: see `common.storage.usage`."""

    def is_first(self, customer_id: str, system: str) -> bool: ...


class RedisBudget:
    """Implements `common.domain.limits.Budget` over all processes, and `common.domain.throttles.Brake`.

    One per process. `clock` must be one that runs: its monotonic side is held against the server's.
    """

    def __init__(self, client: Redis, usage: Usage, clock: Clock) -> None:
        self._client = client
        self._acquire, self._learn = _script(client, "acquire"), _script(client, "learn")
        self._close, self._look = _script(client, "close"), _script(client, "look")
        self._usage = usage
        self._clock = clock
        self._witness = Witness()

    def acquire(self, customer_id: str, policy: BudgetPolicy, share: Share) -> None:
        outcome, wait = self._take(customer_id, policy, share, "ask")
        if outcome == UNKNOWN:
            knows = "first" if self._usage.is_first(customer_id, policy.system) else "lost"
            outcome, wait = self._take(customer_id, policy, share, knows)
        if outcome == LATER:
            until = self._clock.now() + timedelta(milliseconds=wait)
            raise BudgetExhausted(f"customer {customer_id}: {policy.system} budget used up", until=until)

    def _take(self, customer_id: str, policy: BudgetPolicy, share: Share, knows: str) -> tuple[int, int]:
        keys = [budget_key(customer_id, policy.system), THROTTLES_KEY, MARK_KEY, SERVER_KEY]
        outcome, wait = self._ask(self._acquire, keys, _arguments(policy, share, knows))
        return int(outcome), int(wait)

    def _ask(self, script: Script, keys: list[str], arguments: list[str | int | float]) -> list[Any]:
        """Runs a script that answers with its clock and mark last; once more if they tell of a step."""
        answer, reading = self._read(script, keys, [*arguments, ""])
        if self._witness.sees_a_step(reading):
            log.warning("the clock of Redis was stepped: budgets start closed", action="budget.clock_stepped")
            answer, reading = self._read(script, keys, [*arguments, f"since {reading.mark}"])
            self._witness.sees_a_step(reading)
        return answer

    def _read(self, script: Script, keys: list[str], arguments: list[str | int | float]) -> tuple[list[Any], Reading]:
        sent = self._clock.monotonic()
        *answer, server, mark = _run(script, keys, arguments, sent=False)
        returned = self._clock.monotonic()
        return answer, Reading(sent=sent, returned=returned, server=server / 1000, mark=_text(mark))

    def learn(self, customer_id: str, policy: BudgetPolicy, hints: RateHints) -> None:
        if hints.limit is None:
            return
        ours = max(1, int(hints.limit * policy.use_fraction))
        used = "" if hints.remaining is None else max(0, hints.limit - hints.remaining)
        arguments: list[str | int | float] = [ours, used, policy.window_seconds * 1000, BUCKETS]
        _run(self._learn, [budget_key(customer_id, policy.system)], arguments, sent=True)

    def close(self, customer_id: str, policy: BudgetPolicy, until: datetime) -> None:
        seconds = min((until - self._clock.now()).total_seconds(), LONGEST_CLOSE_SECONDS)
        _run(self._close, [budget_key(customer_id, policy.system), MARK_KEY], [max(0, int(seconds * 1000))], sent=True)

    def obey(self, throttles: Sequence[Throttle]) -> None:
        """In one step: no request sees some of them and not the others. Raises RedisError or BudgetUnavailable.

        It also compares clocks: the sweep comes by every few seconds, so that a step is seen soon, by a process that
        was there before it, even if the next to take from a budget is one that was not.
        """
        fractions = {f"{each.system}:{each.lane or ''}": each.fraction for each in throttles}
        pipeline = self._client.pipeline(transaction=True)
        pipeline.delete(THROTTLES_KEY)
        for field, fraction in fractions.items():
            pipeline.hset(THROTTLES_KEY, field, str(fraction))
        pipeline.execute()
        self._ask(self._look, [MARK_KEY], [])


def budget_key(customer_id: str, system: str) -> str:
    return f"budget:{system}:{customer_id}"


def _arguments(policy: BudgetPolicy, share: Share, knows: str) -> list[str | int | float]:
    """As `acquire.lua` lists them, but for the last."""
    return [
        policy.limit, policy.window_seconds * 1000, BUCKETS, SHARE_FRACTIONS[share], knows, int(policy.reports_usage),
        policy.system, policy.lane or "", THROTTLE_RECHECK_SECONDS * 1000,
    ]  # fmt: skip


def _script(client: Redis, name: str) -> Script:
    return client.register_script((files("common.limits") / f"{name}.lua").read_text())


def _run(script: Script, keys: list[str], arguments: list[str | int | float], *, sent: bool) -> Any:
    """Without the count there is no permission: a budget that cannot be read is closed. `sent` as in the error."""
    try:
        return script(keys=keys, args=arguments)
    except RedisError as error:
        raise BudgetUnavailable(f"no budget: Redis: {type(error).__name__}", sent=sent) from error


def _text(value: bytes | str) -> str:
    """A client may decode answers by itself."""
    return value.decode() if isinstance(value, bytes) else value
