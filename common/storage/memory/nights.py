"""The twin of `common.storage.nights`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from itertools import takewhile
from typing import Any

from common.domain.customers import Lane, System
from common.domain.nights import DueNight, Finding, Night, NightState, Phase, Probe, Window
from common.storage.nights import SLOTS_PART, window_of

Key = tuple[str, date, int]


class MemoryNights:
    """Implements `common.domain.nights.NightStore`."""

    def __init__(self, lane_of: Callable[[str], Lane]) -> None:
        self._lane_of = lane_of
        self._lock = threading.RLock()
        self._nights: dict[Key, Night] = {}

    def claim(self, customer_id: str, night_date: date, now: datetime) -> bool:
        return self._open(customer_id, night_date, SLOTS_PART, now)

    def open_by_hand(self, customer_id: str, night_date: date, now: datetime) -> bool:
        with self._lock:
            parts = [part for owner, day, part in self._nights if (owner, day) == (customer_id, night_date)]
            return self._open(customer_id, night_date, max([SLOTS_PART, *parts]) + 1, now)

    def _open(self, customer_id: str, night_date: date, part: int, now: datetime) -> bool:
        with self._lock:
            key = (customer_id, night_date, part)
            if key in self._nights or self.current(customer_id) is not None:
                return False
            self._nights[key] = Night(
                customer_id=customer_id, night_date=night_date, part=part, claimed_at=now, next_step_at=now, probes={},
                report={},
            )  # fmt: skip
            return True

    def current(self, customer_id: str) -> Night | None:
        return next((night for night in self.list(customer_id, len(self._nights)) if night.is_open), None)

    def due(self, now: datetime) -> Sequence[DueNight]:
        waiting = [night for night in self.list(None, len(self._nights)) if night.is_open and night.next_step_at <= now]
        return [
            DueNight(
                customer_id=night.customer_id, lane=self._lane_of(night.customer_id), next_step_at=night.next_step_at
            )
            for night in sorted(waiting, key=lambda night: (night.next_step_at, night.customer_id))
        ]

    def save(self, night: Night, **changes: Any) -> bool:
        with self._lock:
            key = (night.customer_id, night.night_date, night.part)
            stored = self._nights[key]
            if not stored.is_open or stored.phase is not night.phase:
                return False
            self._nights[key] = replace(stored, **changes)
            return True

    def note_probe(self, customer_id: str, system: System, probe: Probe) -> None:
        with self._lock:
            night = self.current(customer_id)
            if night is not None and night.phase is Phase.PREREQUISITES:
                then = night.next_step_at if probe.finding is Finding.UNREACHABLE else probe.at
                self.save(night, probes={**night.probes, system: probe}, next_step_at=then)

    def note_pause(self, customer_id: str) -> None:
        with self._lock:
            night = self.current(customer_id)
            if night is not None:
                self.save(night, pauses=night.pauses + 1)

    def window(self, customer_id: str, now: datetime) -> Window:
        night = self.current(customer_id)
        if night is not None:
            return window_of(night, now)
        last = self.find(customer_id, None)
        return Window(next_at=last.next_at if last else None)

    def failed_in_a_row(self, customer_id: str) -> int:
        ended = [night for night in self.list(customer_id, len(self._nights)) if not night.is_open]
        return len(list(takewhile(lambda night: night.state is NightState.FAILED, ended)))

    def list(self, customer_id: str | None, limit: int) -> Sequence[Night]:
        with self._lock:
            own = [night for night in self._nights.values() if customer_id in (None, night.customer_id)]
        return sorted(own, key=lambda night: (-night.claimed_at.timestamp(), night.customer_id))[:limit]

    def find(self, customer_id: str, night_date: date | None) -> Night | None:
        own = self.list(customer_id, len(self._nights))
        return next((night for night in own if night_date in (None, night.night_date)), None)
