"""The arithmetic of the benchmarks: pure, and tested in tests/unit/benchmarks."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Hashable, Iterable, Iterator, Sequence


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of all are not above (nearest rank). ValueError if there are none."""
    if not values:
        raise ValueError("no percentile of nothing")
    rank = max(1, math.ceil(percent / 100 * len(values)))
    return sorted(values)[rank - 1]


def violations(moments: Sequence[float], limit: int, window_seconds: float) -> int:
    """How many moments are the one too many: with the `limit` moments before them, all lie within one window.

    A window is half open, so two moments that are exactly `window_seconds` apart are never in the same one.
    """
    ordered = sorted(moments)
    return sum(late - early < window_seconds for early, late in zip(ordered, ordered[limit:], strict=False))


def share_used(moments: Sequence[float], limit: int, window_seconds: float) -> float | None:
    """Part of the allowance that was used, in the long run; None if there are too few moments to tell.

    At best the moment that is `limit` after another comes one window later; how much later it comes on average is what
    was left unused, by whatever cause. Holds for a steady stream and for bursts, wherever the measurement begins.
    """
    ordered = sorted(moments)
    gaps = [late - early for early, late in zip(ordered, ordered[limit:], strict=False)]
    return window_seconds / (sum(gaps) / len(gaps)) if gaps else None


def used_when_refused(
    granted: Sequence[float], refused: Sequence[float], limit: int, window_seconds: float, step_seconds: float = 0.02
) -> float | None:
    """Part of the limit that was used in the window before, averaged over the time in which requests were refused.

    It is refused from a refusal until the next grant. Beside `share_used` it tells what the budget withheld from what
    nobody asked for in time; alone it would flatter. None if nothing was refused.
    """
    taken, denied = sorted(granted), sorted(refused)
    if not denied:
        return None
    steps = int((denied[-1] - denied[0]) / step_seconds) + 1
    moments = [denied[0] + number * step_seconds for number in range(steps)]
    used = [
        bisect_right(taken, moment) - bisect_right(taken, moment - window_seconds)
        for moment in moments
        if _last(denied, moment) >= _last(taken, moment)
    ]
    return sum(used) / len(used) / limit


def _last(ordered: Sequence[float], moment: float) -> float:
    """The last that is not after `moment`; minus infinity if there is none."""
    place = bisect_right(ordered, moment)
    return ordered[place - 1] if place else -math.inf


def turns_apart(turns: Sequence[Hashable]) -> int:
    """The most turns from one of a customer to its next; 0 if nobody had two."""
    return max((end - start for start, end in _waits(turns) if start >= 0), default=0)


def passed_over(turns: Sequence[Hashable]) -> int:
    """How often a customer had two turns while another, who was waiting all that time, had none.

    Everybody in `turns` waits from the beginning until its own last turn.
    """
    count, latest_end = 0, -1
    for _, end in sorted(_waits(turns)):
        if end < latest_end:
            count += 1
        latest_end = max(latest_end, end)
    return count


def _waits(turns: Iterable[Hashable]) -> Iterator[tuple[int, int]]:
    """Each wait for a turn, as (position of the turn before, or -1; position of the turn)."""
    last: dict[Hashable, int] = {}
    for position, customer in enumerate(turns):
        yield last.get(customer, -1), position
        last[customer] = position
