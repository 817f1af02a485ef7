"""The turns of all customers, in order."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass

from common.domain.customers import Lane
from poller.schedule.phase import next_turn, phase_seconds

#: The only job so far; a phase is per job, so that a customer's jobs do not fall together.
POLL_JOB = "poll"


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A customer to be polled every `period_seconds`."""

    customer_id: str
    lane: Lane
    period_seconds: float


class Agenda:
    """Gives the turns that are due; each customer once, however late the caller is."""

    def __init__(self) -> None:
        self._turns: dict[str, Turn] = {}
        self._heap: list[tuple[float, str]] = []

    def replace(self, turns: Iterable[Turn], now: float) -> None:
        """Take over a new list. Who is unchanged keeps its place."""
        fresh = {turn.customer_id: turn for turn in turns}
        changed = [turn for turn in fresh.values() if self._turns.get(turn.customer_id) != turn]
        self._heap = [entry for entry in self._heap if self._turns.get(entry[1]) == fresh.get(entry[1])]
        self._turns = fresh
        self._heap += [(self._next(turn, now), turn.customer_id) for turn in changed]
        heapq.heapify(self._heap)

    def due(self, now: float) -> list[Turn]:
        """Those whose moment has come; their next one is later than `now`."""
        found = []
        while self._heap and self._heap[0][0] <= now:
            _, customer_id = self._heap[0]
            turn = self._turns[customer_id]
            heapq.heapreplace(self._heap, (self._next(turn, now), customer_id))
            found.append(turn)
        return found

    def wait_seconds(self, now: float) -> float | None:
        """Until the next turn; None if there is none."""
        return max(0.0, self._heap[0][0] - now) if self._heap else None

    @staticmethod
    def _next(turn: Turn, now: float) -> float:
        phase = phase_seconds(turn.customer_id, POLL_JOB, turn.period_seconds)
        return next_turn(now, turn.period_seconds, phase)
