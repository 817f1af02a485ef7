"""The durable side of budgets: whether a customer's account at a system was ever used.

Redis counts requests; if it forgets, a budget must start closed, not full. Only this table can tell a customer that was
never polled, which may start at once, from one whose count is lost, which may not.
"""

from __future__ import annotations

from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql import insert

from common.domain.clock import Clock
from common.storage.tables import budgets


class PostgresUsage:
    """Implements `common.limits.budget.Usage`."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def is_first(self, customer_id: str, system: str) -> bool:
        """True exactly once for each (customer, system), over all processes."""
        row = {"customer_id": customer_id, "system": system, "first_used_at": self._clock.now()}
        with self._engine.begin() as connection:
            added = connection.execute(
                insert(budgets).values(row).on_conflict_do_nothing().returning(budgets.c.customer_id)
            )
            return added.one_or_none() is not None
