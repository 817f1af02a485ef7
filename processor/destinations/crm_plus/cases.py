"""What a customer costs: its first day, any day, and the recipe's night. Pure; `costs` has what a single change costs.

The sizes and mixes below are examples of ours, for the README; `fleet estimate` fills in a customer's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil

from common.domain.resources import (
    EARNED_CERTIFICATES,
    FORM_COMPLETIONS,
    GIFTS,
    GROUP_MEMBERS,
    PARTICIPATIONS,
    PROJECT_DATES,
    PROJECTS,
    USERS,
)
from processor.destinations.crm_plus.costs import DAY_SECONDS, Change, Changes, Load, Outlay, outlay

#: How often a customer is polled by default.
POLL_SECONDS = 300
#: What the recipe's night counts: one request for one change (facts: crm-api 2.1, "10,000 changes = ~8.3 h").
NIGHT_CHANGES = 10_000


@dataclass(frozen=True, kw_only=True)
class Size:
    """Of an account at the source, as far as its records become something at CRM+."""

    users: int = 0
    #: Projects without dates, and dates.
    anytime_projects: int = 0
    dates: int = 0
    participations: int = 0
    groups: int = 0
    #: Over all groups.
    members: int = 0
    certificates: int = 0
    #: Over all certificates.
    earned: int = 0
    completions: int = 0
    gifts: int = 0


def backfill(size: Size, load: Load | None = None) -> Outlay:
    """Everything once, nothing of it there before."""
    counts = {
        USERS: size.users,
        PROJECTS: size.anytime_projects,
        PROJECT_DATES: size.dates,
        PARTICIPATIONS: size.participations,
        GROUP_MEMBERS: size.members,
        EARNED_CERTIFICATES: size.earned,
        FORM_COMPLETIONS: size.completions,
        GIFTS: size.gifts,
    }
    places = size.anytime_projects + size.dates
    whole = replace(
        load or Load(),
        opportunities=places,
        per_date=_share(size.participations, places),
        per_group=_share(size.members, size.groups),
        per_certificate=_share(size.earned, size.certificates),
    )
    return outlay({(resource, Change.NEW): count for resource, count in counts.items()}, whole)


def _share(records: int, lists: int) -> int:
    """Of one list, on average. At least one."""
    return max(1, records // max(1, lists))


def steady(a_day: Changes, load: Load | None = None, *, poll_seconds: int = POLL_SECONDS) -> Outlay:
    """A day. What one poll finds of a kind is due together, for it comes within the linger.

    The worst case: each on a date, and in a group, of its own.
    """
    spread = replace(load or Load(), per_date=1, per_group=1, per_certificate=1)
    by_kind: dict[tuple[str, Change], float] = {}
    for kind, count in a_day.items():
        together = max(1, ceil(count * poll_seconds / DAY_SECONDS))
        by_kind |= outlay({kind: count}, replace(spread, together=together)).by_kind
    return Outlay(by_kind=by_kind)


def nightly(changes: Changes, load: Load | None = None) -> Outlay:
    """All due together."""
    return outlay(changes, load or Load())


A_CUSTOMER = Size(
    users=5_000, anytime_projects=10, dates=600, participations=20_000, groups=30, members=3_000,
    certificates=10, earned=1_000, completions=2_000,
)  # fmt: skip
A_DAY: Mapping[tuple[str, Change], int] = {
    (USERS, Change.NEW): 20,
    (USERS, Change.CHANGED): 100,
    (PROJECT_DATES, Change.NEW): 5,
    (PARTICIPATIONS, Change.NEW): 200,
    (PARTICIPATIONS, Change.CHANGED): 200,
    (GROUP_MEMBERS, Change.NEW): 20,
    (FORM_COMPLETIONS, Change.NEW): 30,
}
#: People, groups and forms: what the recipe's sync is about.
A_NIGHT: Mapping[tuple[str, Change], int] = {
    (USERS, Change.NEW): 500,
    (USERS, Change.CHANGED): 6_000,
    (USERS, Change.REPLACED): 200,
    (USERS, Change.GONE): 50,
    (GROUP_MEMBERS, Change.NEW): 1_500,
    (GROUP_MEMBERS, Change.GONE): 150,
    (FORM_COMPLETIONS, Change.NEW): 1_600,
}
#: The same with a weekend's hours.
A_NIGHT_WITH_HOURS: Mapping[tuple[str, Change], int] = {
    **A_NIGHT,
    (USERS, Change.CHANGED): 4_000,
    (PARTICIPATIONS, Change.NEW): 2_000,
}
