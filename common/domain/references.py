"""What an account was once found to have or to allow, remembered: its tags, projects, types, custom fields, endpoints.

Asking costs requests of the customer's budget, so one answer serves all processes until it is too old.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol


class ReferenceCache(Protocol):
    """Answers by customer and name, JSON-ready. Every key starts with the customer: ids collide across them."""

    def get(self, customer_id: str, name: str, *, not_before: datetime) -> Any | None:
        """The answer, unless it is older than that or was never put."""
        ...

    def put(self, customer_id: str, name: str, value: Any, now: datetime) -> None:
        """Remember an answer; the later of two wins."""
        ...

    def forget(self, customer_id: str, name: str) -> None:
        """Ask again next time."""
        ...
