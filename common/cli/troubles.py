"""Troubles: which of a customer's systems may not be asked, why, and the mend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from common.cli.ages import moment_text
from common.domain.breakers import Breaker, BreakerState
from common.domain.customers import System


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """One system of a customer, as told with `--json`."""

    system: System
    #: `open`, `half_open` or `blocked`.
    state: BreakerState
    why: str
    #: When it is tried again by itself; None: not before it is mended.
    until: datetime | None
    mend: str

    @property
    def line(self) -> str:
        if self.state is BreakerState.BLOCKED:
            return f"blocked: {self.why}; {self.mend}"
        return f"in trouble, tried again at {moment_text(self.until)}: {self.why}"


def troubles_of(customer_id: str, breakers: Mapping[System, Breaker]) -> Sequence[Trouble]:
    """A closed breaker with a failure or two is none."""
    return [
        Trouble(
            system=system,
            state=breaker.state,
            why=breaker.reason,
            until=breaker.probe_at,
            mend=_mend(customer_id, system, breaker),
        )
        for system, breaker in breakers.items()
        if breaker.state is not BreakerState.CLOSED
    ]


def _mend(customer_id: str, system: System, breaker: Breaker) -> str:
    if breaker.state is not BreakerState.BLOCKED:
        return "nothing: it ends by itself when the system is back"
    return f"`fleet customers token {customer_id} {system}`, or `fleet credentials verify {customer_id} {system}`"
