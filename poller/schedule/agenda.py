"""The turns of all customers, in order; taking one, or changing a customer, costs the logarithm of their number."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import count

from poller.schedule.turns import Turn

#: What was missed while no beat led is made up within this time, however long that was.
LONGEST_CATCH_UP_SECONDS = 300.0
#: A beat that has not looked for longer than this was stopped: what came due meanwhile counts as missed, not as late.
STOPPED_SECONDS = 10.0


@dataclass(frozen=True, order=True)
class Due:
    """A turn whose moment (unix seconds) is set."""

    moment: float
    #: Unlike any other's: turns themselves have no order.
    number: int
    turn: Turn
    slot_date: date | None
    #: Not at its regular moment: it was missed, and has been put off once.
    is_made_up: bool = False


class Agenda:
    """Gives the turns that are due; each once, however late the caller is."""

    def __init__(self) -> None:
        #: What holds now, by customer and job; an entry of the heap that is not among it has been replaced.
        self._current: dict[tuple[str, str], Due] = {}
        self._jobs: dict[str, set[str]] = {}
        self._heap: list[Due] = []
        self._numbers = count()
        self._looked_at: float | None = None

    def __len__(self) -> int:
        return len(self._current)

    def customers(self) -> set[str]:
        return set(self._jobs)

    def put(self, customer_id: str, turns: Iterable[Turn], now: float, *, since: float | None = None) -> None:
        """All turns of a customer from now on; who is unchanged keeps its moment.

        `since`: nothing was published after this moment, so turns that fell into the gap are made up: each once, spread
        over the length of the gap (at most five minutes), and not later than its next regular turn.
        """
        wanted = {turn.job: turn for turn in turns}
        for job in self._jobs.get(customer_id, set()) - wanted.keys():
            del self._current[customer_id, job]
        for turn in wanted.values():
            known = self._current.get(turn.key)
            if known is None or known.turn != turn:
                if since is not None and turn.is_missed(since, now):
                    self._plan_missed(turn, now, since)
                else:
                    self._plan(turn, *turn.after(now))
        self._jobs[customer_id] = set(wanted)
        if not wanted:
            del self._jobs[customer_id]

    def due(self, now: float) -> Sequence[Due]:
        """Those whose moment has come; their next one is later than `now`."""
        since, self._looked_at = self._looked_at, now
        stopped = since is not None and now - since > STOPPED_SECONDS
        found = []
        for due in self._pop(now):
            if stopped and not due.is_made_up:
                self._plan_missed(due.turn, now, since or now)
            else:
                self._plan(due.turn, *due.turn.after(now))
                found.append(due)
        return found

    def _pop(self, now: float) -> list[Due]:
        found = []
        while self._heap and self._heap[0].moment <= now:
            due = heapq.heappop(self._heap)
            if self._current.get(due.turn.key) is due:
                found.append(due)
        return found

    def wait_seconds(self, now: float) -> float | None:
        """Until the next turn; None if there is none."""
        while self._heap and self._current.get(self._heap[0].turn.key) is not self._heap[0]:
            heapq.heappop(self._heap)
        return max(0.0, self._heap[0].moment - now) if self._heap else None

    def _plan_missed(self, turn: Turn, now: float, since: float) -> None:
        regular, day = turn.after(now)
        made_up = now + turn.fraction * min(now - since, LONGEST_CATCH_UP_SECONDS)
        if made_up < regular:
            self._plan(turn, made_up, turn.last_date(now), is_made_up=True)
        else:
            self._plan(turn, regular, day)

    def _plan(self, turn: Turn, moment: float, slot_date: date | None, *, is_made_up: bool = False) -> None:
        number = next(self._numbers)
        due = Due(moment=moment, number=number, turn=turn, slot_date=slot_date, is_made_up=is_made_up)
        self._current[turn.key] = due
        heapq.heappush(self._heap, due)
