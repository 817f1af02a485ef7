"""Prove a token with one cheap call: the first page of a list at the source, the account's own name at the destination.

The calls count: before a customer is stored its budget cannot be asked, so they are tallied and charged afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

from pydantic import SecretStr

from common.cli.bootstrap import Parts
from common.domain.customers import Customer, System
from common.domain.errors import (
    CustomerInvalid,
    PageUnreadable,
    PermissionMissing,
    RateLimited,
    SyncError,
    TokenRejected,
)
from common.domain.limits import Budget, BudgetPolicy, RateHints, Share, destination_policy, source_policy
from common.domain.sources import PageQuery
from common.http.client import ApiClient
from poller.sources import registry as sources
from processor.destinations import registry as destinations

#: What to read to prove a destination's token: it tells whose account it is, and costs one request.
DESTINATION_PROBES: Mapping[str, str] = {"crm_plus": "/api/Organization/Current"}


class Tally:
    """A budget for a customer that is not stored yet: lets pass, and remembers."""

    def __init__(self) -> None:
        self._taken: list[tuple[BudgetPolicy, Share]] = []
        self._learned: list[tuple[BudgetPolicy, RateHints]] = []
        self._closed: list[tuple[BudgetPolicy, datetime]] = []

    def acquire(self, customer_id: str, policy: BudgetPolicy, share: Share) -> None:  # noqa: ARG002 - the interface
        self._taken.append((policy, share))

    def learn(self, customer_id: str, policy: BudgetPolicy, hints: RateHints) -> None:  # noqa: ARG002 - the interface
        self._learned.append((policy, hints))

    def close(self, customer_id: str, policy: BudgetPolicy, until: datetime) -> None:  # noqa: ARG002 - the interface
        self._closed.append((policy, until))

    def charge(self, budget: Budget, customer_id: str) -> None:
        """Count at the real budget what has been sent."""
        for policy, share in self._taken:
            with suppress(RateLimited):
                budget.acquire(customer_id, policy, share)
        for policy, hints in self._learned:
            budget.learn(customer_id, policy, hints)
        for policy, until in self._closed:
            budget.close(customer_id, policy, until)


def verify(parts: Parts, customer: Customer, system: System, token: SecretStr, budget: Budget) -> None:
    """Raises CustomerInvalid, naming the token, unless the system accepts it."""
    name = customer.source if system is System.SOURCE else customer.destination
    field = f"{system}_token"
    try:
        ask(parts, customer, system, token, budget)
    except TokenRejected:
        raise CustomerInvalid(customer.customer_id, field, f"{name} does not accept it (401); give another") from None
    except PermissionMissing:
        mend = f"{name} says that it may not read what the sync needs (403); ask the account's administrator"
        raise CustomerInvalid(customer.customer_id, field, mend) from None
    except SyncError as error:
        mend = f"cannot be verified: {error}; try again, check base_url, or use --no-verify"
        raise CustomerInvalid(customer.customer_id, field, mend) from None


def ask(parts: Parts, customer: Customer, system: System, token: SecretStr, budget: Budget) -> None:
    """Make the call. Raises what the system's answer means."""
    api = client_of(parts, customer, system, token, budget)
    if system is System.SOURCE:
        definition = sources.definition(customer)
        definition.open(api, customer).page(PageQuery(resource=definition.resources[0]))
        return
    probe = DESTINATION_PROBES.get(customer.destination)
    if probe is not None and not isinstance(api.read(probe).json(), Mapping):
        raise PageUnreadable(f"GET {probe}: the answer is not an organization")


def client_of(
    parts: Parts, customer: Customer, system: System, token: SecretStr, budget: Budget, share: Share = Share.LIVE
) -> ApiClient:
    """A client with this token, which need not be stored."""
    base_url, settings = _address(customer, system)
    return ApiClient(
        transport=parts.transport,
        base_url=str(settings.get("base_url", base_url)),
        token=token,
        customer_id=customer.customer_id,
        policy=_policy(parts, customer, system),
        share=share,
        budget=budget,
        clock=parts.clock,
        metrics=parts.metrics,
        deadline_seconds=parts.settings.http_deadline_seconds,
    )


def _address(customer: Customer, system: System) -> tuple[str, Mapping[str, object]]:
    if system is System.SOURCE:
        return sources.definition(customer).base_url, customer.source_settings
    return destinations.definition(customer).base_url, customer.destination_settings


def _policy(parts: Parts, customer: Customer, system: System) -> BudgetPolicy:
    """As the workers' own, so that all count in one place."""
    if system is System.SOURCE:
        return source_policy(customer.source, parts.settings.volunteer_requests_per_minute, lane=customer.lane)
    return destination_policy(customer.destination, parts.settings.crm_requests_per_hour, lane=customer.lane)
