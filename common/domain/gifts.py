"""Gifts: money given. No source lists them yet; a destination takes them, and events of them may be published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from common.domain.canonical import Canonical


@dataclass(frozen=True, kw_only=True)
class Gift(Canonical):
    """One gift. Its source id is the transaction id at the destination, for ever."""

    #: Two decimals: "25.00".
    amount: str
    #: ISO date, in the customer's time zone.
    gift_date: str
    gift_type: str
    #: Source id of the giver among `users`; empty: only the names are known.
    user_id: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    currency: str = "USD"
    #: Code of the project it is given to; required, for an unmapped gift must fail and never default.
    project_code: str = ""
    notes: str = ""
    custom_fields: Mapping[str, Any] = field(default_factory=dict)
