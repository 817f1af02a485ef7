"""Participations: who takes, or took, part in which date, and for how long.

Source ids: `<project_date_id>:<user_id>`; from the second row of one person on one date on (by sign-up time, then
role) `<project_date_id>:<user_id>:<role>`, and `...:<role>:2` if even that repeats. On an Anytime project, which has no
dates, `project-<project_id>` stands in the date's place.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from common.domain.canonical import Canonical

#: Stands before a project's id where a source id has no date.
ANYTIME = "project-"


@dataclass(frozen=True, kw_only=True)
class Participation(Canonical):
    """One row of one person on one date."""

    user_id: str
    project_id: str
    #: Empty on an Anytime project.
    project_date_id: str = ""
    role: str = ""
    guests: int = 0
    status: str = ""
    signed_up_at: str = ""
    checked_in_at: str = ""
    checked_out_at: str = ""
    #: Two decimals: "4.00".
    hours: str = "0.00"
    verified: bool = False

    @property
    def worked_hours(self) -> Decimal:
        return Decimal(self.hours)


def base_id(source_id: str) -> str:
    """The id of the first row of the same person on the same date; the same as given for that row itself."""
    return ":".join(source_id.split(":")[:2])
