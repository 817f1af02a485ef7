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
    #: Not at its regular moment: it was missed after this one, and has been put off once.
    missed_since: float | None = None


class Agenda:
    """Gives the turns that are due; each once, however late the caller is."""

    def __init__(self) -> None:
        #: What holds now, by customer and job; an entry of the heap that is not among it has been replaced.
        self._current: dict[tuple[str, str], Due] = {}
        self._jobs: dict[str, set[str]] = {}
        self._heap: list[Due] = []
        self._numbers = count()
        self._looked_at: float | None = None
        #: Slots that are still to be made up, and since when.
        self._owed: dict[tuple[str, str], float] = {}

    def __len__(self) -> int:
        return len(self._current)

    def has(self, customer_id: str) -> bool:
        return customer_id in self._jobs

    @property
    def looked_at(self) -> float | None:
        """When what is due was last asked for."""
        return self._looked_at

    def miss(self, due: Due, now: float, since: float) -> None:
        """What was given and could not be published since then: made up once, unless its job is gone or changed."""
        current = self._current.get(due.turn.key)
        if current is not None and current.turn == due.turn:
            self._push(self._missed(due.turn, now, since))

    def owed_since(self) -> float | None:
        """Slots later than this are not all published yet; None: all that have come are."""
        return min(self._owed.values(), default=None)

    def put(
        self,
        customer_id: str,
        turns: Iterable[Turn],
        now: float,
        *,
        since: float | None = None,
        slots_since: float | None = None,
    ) -> None:
        """All turns of a customer from now on; who is unchanged keeps its moment.

        `since`: nothing was published after this moment, so turns that fell into the gap are made up: each once, spread
        over the length of the gap (at most five minutes), and not later than its next regular turn. `slots_since`: the
        same for slots, if it is another moment. Whatever a turn raises, nothing is changed then.
        """
        wanted = {turn.job: turn for turn in turns}
        planned = [
            self._first(turn, now, since if turn.slot is None or slots_since is None else slots_since)
            for turn in wanted.values()
            if turn.key not in self._current or self._current[turn.key].turn != turn
        ]
        for job in self._jobs.pop(customer_id, set()) - wanted.keys():
            del self._current[customer_id, job]
            self._owed.pop((customer_id, job), None)
        for due in planned:
            self._push(due)
        if wanted:
            self._jobs[customer_id] = set(wanted)

    def due(self, now: float) -> Sequence[Due]:
        """Those whose moment has come; their next one is later than `now`."""
        since, self._looked_at = self._looked_at, now
        stopped = since is not None and now - since > STOPPED_SECONDS
        found = []
        for due in self._pop(now):
            if stopped and due.missed_since is None:
                self._push(self._missed(due.turn, now, since or now))
            else:
                self._push(self._regular(due.turn, now))
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

    def _first(self, turn: Turn, now: float, since: float | None) -> Due:
        """Of a turn that is new or has changed; a slot that is owed stays owed."""
        since = self._owed.get(turn.key, since)
        return (
            self._regular(turn, now)
            if since is None or not turn.is_missed(since, now)
            else self._missed(turn, now, since)
        )

    def _missed(self, turn: Turn, now: float, since: float) -> Due:
        made_up = now + turn.fraction * min(now - since, LONGEST_CATCH_UP_SECONDS)
        regular = self._regular(turn, now)
        if made_up >= regular.moment:
            return regular
        return Due(
            moment=made_up,
            number=next(self._numbers),
            turn=turn,
            slot_date=turn.last_date(now),
            missed_since=since,
        )

    def _regular(self, turn: Turn, now: float) -> Due:
        moment, slot_date = turn.after(now)
        return Due(moment=moment, number=next(self._numbers), turn=turn, slot_date=slot_date)

    def _push(self, due: Due) -> None:
        key = due.turn.key
        self._current[key] = due
        heapq.heappush(self._heap, due)
        if due.turn.slot is not None and due.missed_since is not None:
            self._owed[key] = due.missed_since
        else:
            self._owed.pop(key, None)
