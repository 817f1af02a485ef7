"""Turns: who is to be read, in which layer, and when; computed from a customer and the settings, never stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, time

from common.domain.customers import Customer, Lane, Mode, Tier
from common.domain.layers import Layer
from poller.schedule.phase import next_turn, phase_fraction, phase_seconds
from poller.schedule.slots import Slot

#: Below this a row was written by hand, and wrongly: settings and commands take whole seconds.
SHORTEST_PERIOD_SECONDS = 1.0
#: From one night's slot to the next, but for days that have another length.
NIGHT_SECONDS = 86_400.0
WEEKDAYS = 7


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One job of a customer."""

    customer_id: str
    #: Names the job in the agenda, and gives it a phase of its own.
    job: str
    lane: Lane
    layer: Layer
    #: None: all.
    resources: tuple[str, ...] | None = None
    #: A turn comes either every so often, or at a slot.
    period_seconds: float = 0.0
    slot: Slot | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.customer_id, self.job

    @property
    def fraction(self) -> float:
        """Stable, in [0, 1): spreads what was missed. Not the phase, for in that those who were missed lie close."""
        return phase_fraction(self.customer_id, f"{self.job}, missed")

    def after(self, moment: float) -> tuple[float, date | None]:
        """When it comes next, and the date of its slot if it has one."""
        if self.slot is not None:
            return self.slot.after(moment)
        phase = phase_seconds(self.customer_id, self.job, self.period_seconds)
        return next_turn(moment, self.period_seconds, phase), None

    def is_missed(self, since: float, now: float) -> bool:
        """Whether it should have come in (since, now]."""
        return since < now and self.after(since)[0] <= now

    def last_date(self, now: float) -> date | None:
        """Of the last slot, if it has slots."""
        return None if self.slot is None else self.slot.until(now)[1]


@dataclass(frozen=True, kw_only=True)
class Timetable:
    """When customers are read, as the settings say."""

    interval_seconds: dict[Tier, int]
    nightly_at: time
    reconciliation_at: time
    #: Slots of a time zone are spread over this long.
    spread_seconds: float

    def turns(self, customer: Customer, resources: Sequence[str], scanned: Sequence[str] = ()) -> list[Turn]:
        """All jobs of an active customer whose source has these resources; of these, `scanned` need full scans."""
        if not customer.is_active:
            return []
        whole = tuple(name for name in resources if name in scanned)
        return [*self._turns(customer, resources), *([self._weekly(customer, whole)] if whole else [])]

    def _turns(self, customer: Customer, resources: Sequence[str]) -> Iterator[Turn]:
        if customer.mode is Mode.NIGHTLY:
            yield self._at_slot(customer, Layer.NIGHTLY, self.nightly_at)
            return
        apart = {name: seconds for name, seconds in customer.cadences.items() if name in resources}
        rest = tuple(name for name in resources if name not in apart)
        if rest:
            yield self._every(customer, Layer.POLL, self.period_seconds(customer), rest if apart else None)
        for name, seconds in sorted(apart.items()):
            yield self._every(customer, f"{Layer.POLL}:{name}", seconds, (name,))
        yield self._at_slot(customer, Layer.RECONCILIATION, self.reconciliation_at)

    def night_slot(self, customer: Customer) -> Slot:
        """When a customer's nights begin, or would if it were nightly."""
        offset = phase_fraction(customer.customer_id, Layer.NIGHTLY) * self.spread_seconds
        return Slot(at=self.nightly_at, zone=customer.time_zone, offset_seconds=offset)

    def period_seconds(self, customer: Customer) -> float:
        return customer.poll_interval_seconds or self.interval_seconds[customer.tier]

    def reading_seconds(self, customer: Customer) -> float:
        """Between two passes over all that is due."""
        return NIGHT_SECONDS if customer.mode is Mode.NIGHTLY else self.period_seconds(customer)

    @staticmethod
    def _every(customer: Customer, job: str, period_seconds: float, resources: tuple[str, ...] | None) -> Turn:
        if period_seconds < SHORTEST_PERIOD_SECONDS:
            raise ValueError(f"{job}: a period of {period_seconds} s")
        return Turn(
            customer_id=customer.customer_id,
            job=job,
            lane=customer.lane,
            layer=Layer.POLL,
            resources=resources,
            period_seconds=period_seconds,
        )

    def _at_slot(self, customer: Customer, layer: Layer, at: time, weekday: int | None = None) -> Turn:
        offset = phase_fraction(customer.customer_id, layer) * self.spread_seconds
        slot = Slot(at=at, zone=customer.time_zone, offset_seconds=offset, weekday=weekday)
        return Turn(customer_id=customer.customer_id, job=layer, lane=customer.lane, layer=layer, slot=slot)

    def _weekly(self, customer: Customer, resources: tuple[str, ...]) -> Turn:
        """At the time of reconciliation, for it is night then; a fleet's are spread over the week."""
        weekday = int(phase_fraction(customer.customer_id, f"{Layer.FULL}, weekday") * WEEKDAYS)
        turn = self._at_slot(customer, Layer.FULL, self.reconciliation_at, weekday)
        return replace(turn, resources=resources)
