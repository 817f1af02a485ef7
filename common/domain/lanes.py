"""What each lane is promised: how much its waiting weighs, and how old a change may get before it is applied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from common.domain.customers import Lane


@dataclass(frozen=True, kw_only=True)
class LaneTerms:
    """The terms of a lane."""

    #: Turns that its customers get for one of a lane of weight 1, where one worker serves several and all are waiting.
    weight: int
    #: Age at which a detected change, of a customer that is neither parked nor paused, should long have been applied.
    #: A fifth of its tier's cadence, so that the wait for a poll stays the larger part.
    sla_seconds: int


LANE_TERMS: Mapping[Lane, LaneTerms] = {
    Lane.PRIORITY: LaneTerms(weight=4, sla_seconds=60),
    Lane.STANDARD: LaneTerms(weight=2, sla_seconds=180),
    Lane.BACKGROUND: LaneTerms(weight=1, sla_seconds=720),
}
