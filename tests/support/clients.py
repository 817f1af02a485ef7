"""The product's HTTP client for one customer, without a budget to run out of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from common.domain.clock import Clock, SystemClock
from common.domain.limits import BudgetPolicy, Share
from common.http.client import ApiClient, make_transport
from common.limits.memory import MemoryBudget
from common.metrics.catalogue import Metrics


def an_api(base_url: str, token: str = "token", *, transport: httpx.Client | None = None, **changes: Any) -> ApiClient:
    clock: Clock = changes.pop("clock", None) or SystemClock()
    base = {
        "customer_id": "acme", "policy": BudgetPolicy(system="system", limit=1_000_000, window_seconds=60),
        "share": Share.LIVE, "budget": MemoryBudget(clock), "clock": clock,
        "metrics": Metrics(CollectorRegistry()), "deadline_seconds": 5.0,
    }  # fmt: skip
    return ApiClient(
        transport=transport or make_transport(5.0), base_url=base_url, token=SecretStr(token), **{**base, **changes}
    )


def pretended(answer: Callable[[httpx.Request], httpx.Response]) -> httpx.Client:
    """A transport without a network: `answer` is the whole world."""
    return httpx.Client(transport=httpx.MockTransport(answer))
