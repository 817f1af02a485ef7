"""Each series beside its bound, and the verdict of the whole. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from soak.bounds import BOUNDS, WARM_UP, Bound, bound_of
from soak.trend import Point, after, growth, quarters, slope, sparkline

#: Fewer judged points than this show no trend: then nothing was proved.
FEWEST_POINTS = 5
SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One series, judged."""

    name: str
    lowest: float
    median: float
    highest: float
    quarters: Sequence[float]
    line: str
    per_hour: float
    #: Over the judged time, and what is allowed; None where growth is only told.
    growth: float
    allowed: float | None
    #: Why it fails; empty if it does not.
    trouble: str = ""


def judge(name: str, points: Sequence[Point], bound: Bound | None = None) -> Finding:
    bound = bound or bound_of(name)
    judged = after(points, WARM_UP)
    values = [point.value for point in points]
    middle = median(values) if values else 0.0
    return Finding(
        name=name,
        lowest=min(values, default=0.0),
        median=middle,
        highest=max(values, default=0.0),
        quarters=quarters(points),
        line=sparkline(points),
        per_hour=slope(judged) * SECONDS_PER_HOUR,
        growth=growth(judged),
        allowed=bound.allowed(middle) if bound.is_judged else None,
        trouble=_trouble(points, judged, bound, middle),
    )


def _trouble(points: Sequence[Point], judged: Sequence[Point], bound: Bound, middle: float) -> str:
    if not bound.is_judged:
        return ""
    if len(judged) < FEWEST_POINTS:
        return f"only {len(judged)} samples to judge"
    grown, allowed = growth(judged), bound.allowed(middle)
    if grown > allowed:
        return f"grew by {grown:.3g}, allowed {allowed:.3g}"
    highest = max(point.value for point in points)
    if bound.ceiling is not None and highest > bound.ceiling:
        return f"reached {highest:.3g}, allowed {bound.ceiling:.3g}"
    return ""


def judge_all(series: Mapping[str, Sequence[Point]]) -> Sequence[Finding]:
    """In the order of the names; troubles first. What should have been sampled, and never was, is one of them."""
    kinds = {name.partition(":")[0] for name in series}
    unseen: Mapping[str, Sequence[Point]] = {kind: () for kind in BOUNDS if kind not in kinds}
    return sorted(
        (judge(name, points) for name, points in {**series, **unseen}.items()),
        key=lambda each: (not each.trouble, each.name),
    )


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the run showed."""

    findings: Sequence[Finding]
    #: The auditor's.
    audit: Sequence[str]
    #: Whether everything came to rest after the edits.
    at_rest: bool
    seconds: float
    #: Source edits, and faults that happened.
    edits: int
    faults: int

    @property
    def troubles(self) -> Sequence[str]:
        """Why it fails, a line each."""
        lines = [f"{each.name}: {each.trouble}" for each in self.findings if each.trouble]
        lines += [f"audit: {finding}" for finding in self.audit]
        if not self.at_rest:
            lines.append("the fleet did not come to rest after the edits")
        if not self.edits:
            lines.append("nothing was edited: nothing is proved")
        if not self.faults:
            lines.append("no fault happened: nothing is proved of them")
        return lines

    @property
    def verdict(self) -> str:
        return "FAIL" if self.troubles else "PASS"
