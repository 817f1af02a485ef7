"""Which way participations are read: what the connector keeps of a customer between runs.

No list shows participations, and none moves a user's or a project's `updated_at` (facts: volunteer-api 4, 2), so they
are looked for where they are embedded: in project dates, or in users' details. Which is cheaper depends on the
account's size, so it is reckoned (`estimate`), kept, and reckoned again now and then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from poller.sources.volunteer.settings import VolunteerSettings


class Strategy(StrEnum):
    """Where participations are read again and again; the other view is still read where it alone shows them."""

    DATES = "dates"
    USERS = "users"


@dataclass(frozen=True, kw_only=True)
class ScanPlan:
    """The defaults miss nothing; they cost more than a plan that knows the account."""

    participations: Strategy = Strategy.DATES
    #: False: no active project is an Anytime one and there are no certificates, which users' details alone show.
    needs_details: bool = True

    def to_body(self) -> dict[str, Any]:
        """JSON-ready; what `read_plan` reads."""
        return {"participations": str(self.participations), "needs_details": self.needs_details}


def read_plan(body: Mapping[str, Any], settings: VolunteerSettings) -> ScanPlan:
    """What was kept; a setting of the customer's goes before it, and what is missing or unknown gets its default."""
    wanted = body.get("participations") if settings.participations == "auto" else settings.participations
    strategy = Strategy(wanted) if wanted in tuple(Strategy) else Strategy.DATES
    return ScanPlan(participations=strategy, needs_details=body.get("needs_details") is not False)
