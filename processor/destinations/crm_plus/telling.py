"""Which completion last told a custom field of a contact: an older one that comes later does not tell it.

One person's completions are entities of their own, and come in any order; a field holds one value. So who told it is
remembered beside the field, before the value is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

from processor.destinations.crm_plus.account import Account

#: Remembered for ever.
ALWAYS = datetime.min.replace(tzinfo=UTC)

#: When it was completed (ISO time in UTC; empty sorts first), and its source id, a number where they are numbers.
Age: TypeAlias = tuple[str, int, str]


class Telling:
    """Of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def left(self, contact_id: str, values: Mapping[str, Any], age: Age) -> dict[str, Any]:
        """The values that no newer completion has told."""
        return {name: value for name, value in values.items() if self._told(contact_id, name) <= age}

    def note(self, contact_id: str, values: Mapping[str, Any], age: Age) -> None:
        account = self._account
        for name in values:
            account.references.put(account.customer_id, _name(contact_id, name), list(age), account.clock.now())

    def _told(self, contact_id: str, name: str) -> Age:
        account = self._account
        known = account.references.get(account.customer_id, _name(contact_id, name), not_before=ALWAYS)
        return (str(known[0]), int(known[1]), str(known[2])) if known else ("", 0, "")


def age_of(completed_at: str, source_id: str) -> Age:
    return (completed_at, len(source_id), source_id)


def _name(contact_id: str, name: str) -> str:
    return f"told_field/{contact_id}/{name}"
