"""The mild faults of a soak: about one request in thirty, at either system, and now and then a short outage of one.

Drawn by the sandbox's own generator, which follows its seed; the outages follow ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

RULES: tuple[Mapping[str, Any], ...] = (
    {"kind": "error", "status": 503, "body": "html", "rate": 0.01},
    {"kind": "rate_limit", "retry_after_seconds": 1, "rate": 0.005},
    {"kind": "drop_before_apply", "rate": 0.005},
    {"kind": "drop_after_apply", "rate": 0.005},
    {"kind": "latency", "seconds": 0.3, "rate": 0.02},
)
PAGES: Mapping[str, Any] = {"kind": "truncate_page", "system": "volunteer", "route": "/users", "rate": 0.01}
#: Seconds between two outages, from the shortest to the longest, and how long one lasts.
BETWEEN_SECONDS = (60.0, 180.0)
OUTAGE_SECONDS = 5.0


def standing_rules() -> list[dict[str, Any]]:
    return [{**rule, "system": system} for system in ("volunteer", "crm") for rule in RULES] + [dict(PAGES)]


@dataclass(frozen=True, kw_only=True)
class Outage:
    """One customer's system is away for a moment, from so many seconds after the beginning."""

    at: float
    organization: str
    system: str

    @property
    def rule(self) -> dict[str, Any]:
        return {
            "kind": "outage", "organization": self.organization, "system": self.system, "for_seconds": OUTAGE_SECONDS,
        }  # fmt: skip


def outages(organizations: Sequence[str], *, seconds: float, seed: int) -> Iterator[Outage]:
    """In the order of their times; the same for the same seed."""
    random = Random(f"soak:{seed}")
    at = random.uniform(*BETWEEN_SECONDS)
    while at < seconds:
        yield Outage(at=at, organization=random.choice(organizations), system=random.choice(("volunteer", "crm")))
        at += random.uniform(*BETWEEN_SECONDS)
