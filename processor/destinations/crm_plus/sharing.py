"""Ties that more than one of our records relies on, or that staff made: nobody takes them away.

Two users may be one contact, and two groups one tag; each record knows its own link only, so that a tie was found there
already is remembered beside them. That it stays when the last of them goes is the smaller harm.
"""

from __future__ import annotations

from datetime import UTC, datetime

from processor.destinations.crm_plus.account import Account

#: Remembered for ever.
ALWAYS = datetime.min.replace(tzinfo=UTC)


class Sharing:
    """Of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def note(self, tie: str) -> None:
        if tie:
            self._account.references.put(self._account.customer_id, _name(tie), True, self._account.clock.now())

    def is_shared(self, tie: str) -> bool:
        return self._account.references.get(self._account.customer_id, _name(tie), not_before=ALWAYS) is not None


def _name(tie: str) -> str:
    return f"shared_tie/{tie}"
