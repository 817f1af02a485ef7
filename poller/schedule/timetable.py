"""The timetable that the settings ask for."""

from __future__ import annotations

from common.config.settings import Settings
from common.domain.customers import Tier
from poller.schedule.turns import Timetable


def timetable_of(settings: Settings) -> Timetable:
    return Timetable(
        interval_seconds={tier: settings.interval_seconds(tier) for tier in Tier},
        nightly_at=settings.nightly_time,
        reconciliation_at=settings.reconciliation_time,
        spread_seconds=settings.slot_spread_minutes * 60.0,
    )
