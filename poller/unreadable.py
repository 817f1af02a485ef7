"""Items that cannot be read: each is a dead letter, and too many of them are a fault of ours, or of the source's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from common.domain.errors import DeadLetterLimitReached


@dataclass(frozen=True, kw_only=True)
class LetterLimit:
    """As the processors have it of letters that they make; here the customer is read no further."""

    #: Open letters of a customer.
    count: Callable[[str], int]
    letters: int = 100

    def mind(self, customer_id: str) -> None:
        """Call it when a page has brought unreadable items. Raises DeadLetterLimitReached."""
        count = self.count(customer_id)
        if count >= self.letters:
            raise DeadLetterLimitReached(
                f"{count} dead letters, the newest of items that cannot be read: "
                f"see `fleet dlq list {customer_id}`, then `fleet customers resume {customer_id}`"
            )
