"""Requests in any window against what the customer's accounts allow.

The windows slide, which is stricter than the services: they count by the clock, and no fixed window of a length can
hold more than the fullest sliding one. Every request counts, also one that a fault answered: it has used the budget.
"""

from collections.abc import Iterator, Sequence

from deploy.audit.model import Case, Entry
from deploy.audit.report import Finding, Kind

MINUTE_SECONDS = 60.0
HOUR_SECONDS = 3600.0
TOO_MANY = 429


def over_budget(case: Case) -> Iterator[Finding]:
    organization = case.organization
    limits = (
        ("crm", organization.crm_requests_per_hour, HOUR_SECONDS, "hour"),
        ("volunteer", organization.volunteer_requests_per_minute, MINUTE_SECONDS, "minute"),
    )
    for system, limit, seconds, word in limits:
        most = fullest_window([entry.started_at for entry in requests(case, system)], seconds)
        if most > limit:
            yield Finding(
                organization=organization.name,
                kind=Kind.BUDGET,
                entity_id=system,
                field="",
                explanation=f"{most} requests within one {word}, {limit} are allowed",
                weight=most - limit,
            )


def requests(case: Case, system: str, since: float | None = None) -> list[Entry]:
    return [
        entry
        for entry in case.entries
        if entry.system == system and not entry.is_import and (since is None or entry.started_at >= since)
    ]


def fullest_window(moments: Sequence[float], seconds: float) -> int:
    """The most moments that lie less than `seconds` apart."""
    ordered = sorted(moments)
    most = start = 0
    for end, moment in enumerate(ordered):
        while ordered[start] <= moment - seconds:
            start += 1
        most = max(most, end - start + 1)
    return most


def rejected(case: Case) -> int:
    """Answers 429 that the customer's own budget caused, not a fault."""
    return sum(1 for entry in case.entries if entry.status == TOO_MANY and entry.fault is None)
