"""What is remembered of an account for a day, and asked for again when something is missing from it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from processor.destinations.crm_plus.account import Account

#: Facts: crm-api 4.9, "reference caches 1 day".
KEPT = timedelta(days=1)
#: What was missing is asked for again after this: somebody may just have made it.
MISSED = timedelta(minutes=10)


def remembered(
    account: Account, name: str, ask: Callable[[], Any], *, suits: Callable[[Any], bool] = lambda _: True
) -> Any:
    """The answer under a name; a fresh one if it is a day old, or if it does not suit and is ten minutes old."""
    now = account.clock.now()
    known = _younger(account, name, now - KEPT)
    if known is not None and (suits(known) or _younger(account, name, now - MISSED) is not None):
        return known
    fresh = ask()
    account.references.put(account.customer_id, name, fresh, now)
    return fresh


def _younger(account: Account, name: str, not_before: Any) -> Any | None:
    return account.references.get(account.customer_id, name, not_before=not_before)
