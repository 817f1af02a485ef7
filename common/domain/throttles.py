"""Throttles: the part of every customer's limit at one system that may be used now, for all customers at once.

Truth is a table, for a person's word must outlive Redis; what requests are held to is a copy beside the budgets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import prod
from typing import Protocol

from common.domain.customers import Lane


@dataclass(frozen=True, kw_only=True)
class Throttle:
    """One person's word on one system. A lifted one stays, at 1: who lifted it, and when."""

    system: str
    #: None: all lanes. A throttle of one lane comes on top of that.
    lane: Lane | None = None
    #: From 0, nothing may be sent, to 1, no throttle.
    fraction: float
    reason: str = ""
    actor: str
    set_at: datetime


def fraction_of(throttles: Sequence[Throttle], system: str, lane: Lane | None) -> float:
    """What is left of a limit for customers of this lane."""
    return prod(each.fraction for each in throttles if each.system == system and each.lane in {None, lane})


class Brake(Protocol):
    """What holds requests to throttles: both budgets do."""

    def obey(self, throttles: Sequence[Throttle]) -> None:
        """From the next request on, in all processes, exactly these hold."""
        ...


class Throttles(Protocol):
    """The table."""

    def set(self, throttle: Throttle) -> None:
        """In place of what was said of this system and lane."""
        ...

    def all(self) -> Sequence[Throttle]:
        """By system, all lanes before single ones."""
        ...

    def tell(self, obey: Callable[[Sequence[Throttle]], None], *, wait: bool = True) -> None:
        """Hand all of them to a brake, one teller at a time: an older list never comes after a newer one.

        `wait` False: leave it to whoever is at it.
        """
        ...
