"""The customers, the cadences and the faults of a demonstration, as data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from random import Random
from typing import Any

from common.domain.customers import Tier

#: Cadences and deadlines for a minute's show instead of a working day; in seconds.
ENVIRONMENT: Mapping[str, str] = {
    "FLEET_PREMIUM_INTERVAL_SECONDS": "3",
    "FLEET_STANDARD_INTERVAL_SECONDS": "5",
    "FLEET_BASIC_INTERVAL_SECONDS": "8",
    "FLEET_POLL_OVERLAP_SECONDS": "5",
    "FLEET_HTTP_DEADLINE_SECONDS": "4",
    "FLEET_BREAKER_SECONDS": "1",
    "FLEET_SWEEP_SECONDS": "1",
    # A stand-in answers as fast as it can; what is real is that budgets are kept, of which one customer's is tight.
    "FLEET_VOLUNTEER_REQUESTS_PER_MINUTE": "900",
    # What would otherwise be gathered for twenty seconds, or believed gone after five minutes.
    "FLEET_BACKFILL_LINGER_SECONDS": "2",
    "FLEET_ABSENCE_SECONDS": "5",
}
LANES = ("priority", "standard", "background")
#: How long the product allows a created contact to stay invisible; the sandbox's lag is below it. In seconds.
VISIBILITY_SECONDS = 2
LAG_SECONDS = 1.0
#: Edits per second and customer: enough that some meet, few enough for the tight budget below.
EDITS_PER_SECOND = 0.5
#: So few requests an hour that waste would show: its backfill and its edits need about two thirds.
TIGHT_REQUESTS_PER_HOUR = 900
#: Of each source's token; the fleet's own limit, above, stays below it.
SOURCE_REQUESTS_PER_MINUTE = 1000
#: Periods of what is read scope by scope, for a minute's show; in seconds.
SCAN_SETTINGS: Mapping[str, int] = {
    "near_seconds": 15, "week_seconds": 15, "window_seconds": 15, "today_seconds": 15, "project_seconds": 20,
    "idle_project_seconds": 30, "forms_seconds": 30, "completions_seconds": 10, "groups_seconds": 20,
    "members_seconds": 15, "lists_seconds": 60, "user_seconds": 60, "details_seconds": 60,
}  # fmt: skip
#: How often each kind of edit comes, against the others.
EDIT_WEIGHTS: Mapping[str, float] = {
    "create": 3, "change": 9, "email": 1.5, "delete": 1, "sign_up": 4, "attend": 4, "verify": 2, "cancel": 1,
    "rename_project": 0.5, "add_date": 0.5, "move_date": 0.5, "complete_form": 2, "change_completion": 1,
    "join_group": 2, "leave_group": 1, "rename_group": 0.3, "earn_certificate": 2,
}  # fmt: skip
NAMES = ("alder", "birch", "cedar", "dogwood", "elm", "fir", "ginkgo", "hazel", "juniper", "larch", "maple", "oak")
#: How often the names may be used again, with a number behind them.
TURNS = 8
LARGEST_COUNT = TURNS * len(NAMES)
#: Users by customer, so mixed that a smaller demonstration has small and large ones too.
SIZES = (40, 120, 25, 80, 100, 15, 60, 30, 50, 20, 60, 35)
HELD = {"import_mode": "delayed", "import_delay_seconds": 3.0}
#: How the destinations behave, and how contacts are created there: by import, or directly with an index that lags.
HABITS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("batch", {"error_shape": "envelope"}),
    ("batch", {**HELD, "error_shape": "flat"}),
    ("direct", {"index_lag_seconds": LAG_SECONDS, "refusal_status": 422}),
    ("batch", {"error_shape": "flat", "timestamp_style": "mixed"}),
    ("batch", {**HELD, "next_style": "text", "id_style": "string"}),
)
TIGHT = "hazel"
PAGE_KINDS = ("truncate_page", "repeat_page")
#: How long the opening's faults last: until the first backfill is under way.
OPENING_SECONDS = 20.0
#: Requests an hour elsewhere: two plans of the service.
PLANS = (1500, 5000)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoCustomer:
    """One customer, and how its accounts behave."""

    name: str
    tier: Tier
    #: How contacts are created: `batch` or `direct`.
    create: str
    #: Settings of its organization in the sandbox.
    sandbox: Mapping[str, Any] = field(default_factory=dict)


def plan_customers(count: int, seed: int) -> list[DemoCustomer]:
    """The first `count` customers; the seed decides who has which plan."""
    random = Random(f"demo:{seed}")  # noqa: S311 - nothing here is secret
    rows = islice(zip(_names(), cycle(SIZES), cycle(Tier), cycle(HABITS), strict=False), count)
    return [
        DemoCustomer(
            name=name,
            tier=tier,
            create=create,
            sandbox={
                **habits,
                "users": users,
                "crm_requests_per_hour": _limit(name, random),
                "volunteer_requests_per_minute": SOURCE_REQUESTS_PER_MINUTE,
            },
        )
        for name, users, tier, (create, habits) in rows
    ]


def _names() -> Sequence[str]:
    return [name if turn == 1 else f"{name}-{turn}" for turn in range(1, TURNS + 1) for name in NAMES]


def _limit(name: str, random: Random) -> int:
    chosen = random.choice(PLANS)
    return TIGHT_REQUESTS_PER_HOUR if name == TIGHT else chosen


def faults(customers: Sequence[DemoCustomer]) -> list[dict[str, Any]]:
    """What goes wrong during the edits: about one request in seven, at either system."""
    outage = {"kind": "outage", "system": "crm", "organization": customers[0].name, "for_seconds": 8, "body": "html"}
    return [outage, *_everywhere(), *_pages(), *_slow_writes()]


def _everywhere() -> list[dict[str, Any]]:
    common: tuple[dict[str, Any], ...] = (
        {"kind": "rate_limit", "rate": 0.02, "retry_after_seconds": 1},
        {"kind": "error", "rate": 0.03, "status": 503, "body": "html"},
        {"kind": "error", "rate": 0.02, "status": 500, "body": "empty"},
        {"kind": "drop_before_apply", "rate": 0.02},
        {"kind": "drop_after_apply", "rate": 0.02},
        {"kind": "not_json", "rate": 0.01},
        {"kind": "latency", "rate": 0.05, "seconds": 0.5},
    )
    return [{**rule, "system": system} for system in ("volunteer", "crm") for rule in common]


def opening_faults(customers: Sequence[DemoCustomer]) -> list[dict[str, Any]]:
    """What is rare later on: lists with a second page to be repeated, and many creates that nothing deduplicates."""
    lies: dict[str, Any] = {"system": "volunteer", "organization": customers[0].name, "rate": 0.25}
    drops: dict[str, Any] = {"system": "crm", "route": "/api/Contact", "method": "POST", "rate": 0.2}
    direct = [customer.name for customer in customers if customer.create == "direct"][:1]
    rules = [
        *({**lies, "kind": kind} for kind in PAGE_KINDS),
        *({**drops, "kind": "drop_after_apply", "organization": name} for name in direct),
    ]
    return [{**rule, "for_seconds": OPENING_SECONDS} for rule in rules]


def _pages() -> list[dict[str, Any]]:
    return [{"kind": kind, "system": "volunteer", "route": "/users", "rate": 0.03} for kind in PAGE_KINDS]


def _slow_writes() -> list[dict[str, Any]]:
    """Answers later than the fleet waits: the write lands after it has been given up."""
    return [{"kind": "latency", "system": "crm", "rate": 0.01, "seconds": 5.0}]
