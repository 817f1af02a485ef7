"""Trends of a series: a slope that outliers do not move, quarters, and a line to look at. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

#: Stretches of time whose medians a slope is taken of: what comes and goes within one of them, a tooth of a saw, is no
#: trend. At an hour, of which three quarters are judged, one is some four minutes long; autovacuum looks each minute.
STRETCHES = 12
#: Eighths of a line's height.
BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, kw_only=True)
class Point:
    """A value at so many seconds since the first sample."""

    at: float
    value: float


def slope(points: Sequence[Point]) -> float:
    """Per second: the median slope of all pairs of stretches (Theil-Sen), so that a few odd ones are no trend."""
    slopes = [(b.value - a.value) / (b.at - a.at) for a, b in combinations(medians(points, STRETCHES), 2)]
    return median(slopes) if slopes else 0.0


def medians(points: Sequence[Point], stretches: int) -> Sequence[Point]:
    """Of each stretch of time in which there are points, its middle by time and by value."""
    if not points:
        return ()
    begin, length = points[0].at, (points[-1].at - points[0].at) / stretches or 1.0
    found: dict[int, list[Point]] = {}
    for point in points:
        found.setdefault(min(int((point.at - begin) / length), stretches - 1), []).append(point)
    return [
        Point(at=median(each.at for each in own), value=median(each.value for each in own))
        for _, own in sorted(found.items())
    ]


def growth(points: Sequence[Point]) -> float:
    """What the slope comes to over the time of these points."""
    return slope(points) * (points[-1].at - points[0].at) if points else 0.0


def after(points: Sequence[Point], share: float) -> Sequence[Point]:
    """Those later than this share of the whole time."""
    if not points:
        return ()
    begin = points[0].at + share * (points[-1].at - points[0].at)
    return [point for point in points if point.at >= begin]


def quarters(points: Sequence[Point]) -> Sequence[float]:
    """The median of each quarter of the time."""
    return [each.value for each in medians(points, 4)]


def sparkline(points: Sequence[Point], width: int = 24) -> str:
    """The series as a row of bars, from its lowest to its highest."""
    values = [point.value for point in thinned(points, width)]
    low, high = min(values, default=0.0), max(values, default=0.0)
    scale = (len(BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(BARS[round((value - low) * scale)] for value in values)


def thinned(points: Sequence[Point], most: int) -> Sequence[Point]:
    """At most so many, evenly spread, with the first and the last."""
    if len(points) <= most:
        return points
    step = (len(points) - 1) / (most - 1)
    return [points[round(number * step)] for number in range(most)]
