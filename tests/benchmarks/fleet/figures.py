"""What a benchmark answers: figures with their targets, one table for each question."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of a table. Without a target nothing was promised, and `met` is None."""

    name: str
    value: float
    unit: str
    #: Lowest and highest of the rounds; None: there was one.
    spread: tuple[float, float] | None = None
    rounds: int = 1
    target: str = ""
    met: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Table:
    """The answer to one question."""

    title: str
    figures: Sequence[Figure]
    #: How it was measured, and what that leaves out; a sentence each.
    notes: Sequence[str] = ()


def figure(
    name: str,
    samples: Sequence[float] | float,
    unit: str,
    *,
    below: float | None = None,
    at_most: float | None = None,
    at_least: float | None = None,
) -> Figure:
    """The median of the rounds, held against its target if there is one."""
    values = [samples] if isinstance(samples, int | float) else list(samples)
    value = statistics.median(values)
    target, met = _verdict(value, below, at_most, at_least)
    spread = (min(values), max(values)) if len(values) > 1 else None
    return Figure(name=name, value=value, unit=unit, spread=spread, rounds=len(values), target=target, met=met)


def _verdict(
    value: float, below: float | None, at_most: float | None, at_least: float | None
) -> tuple[str, bool | None]:
    if below is not None:
        return f"< {below:g}", value < below
    if at_most is not None:
        return f"<= {at_most:g}", value <= at_most
    if at_least is not None:
        return f">= {at_least:g}", value >= at_least
    return "", None


def ratios(numerators: Sequence[float], denominators: Sequence[float]) -> list[float]:
    """Round by round: what slowed the machine down in one round slowed down both."""
    return [above / below for above, below in zip(numerators, denominators, strict=True) if below]
