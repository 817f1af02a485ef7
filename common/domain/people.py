"""The canonical record behind the resource `users`: a person, between any source and any destination."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from common.domain.canonical import Canonical


@dataclass(frozen=True, kw_only=True)
class Person(Canonical):
    """A volunteer. The e-mail address is in lower case."""

    first_name: str
    last_name: str
    email: str = ""
    phone: str = ""
    #: One line, as the source gives it.
    address: str = ""
    #: ISO date. VOMO's own form asks for month and year only, so the day may be made up.
    birthday: str = ""
    #: The source's code (M, F, N at VOMO); an unknown one is kept as it is.
    gender: str = ""
    membership_status: str = ""
    membership_role: str = ""
    #: Further fields of the source's that the customer's settings ask for, by name.
    extra: Mapping[str, Any] = field(default_factory=dict)
    #: Values of the destination's custom fields, by name; set by the customer's mapping, never by a source.
    custom_fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def birth_date(self) -> date | None:
        return date.fromisoformat(self.birthday) if self.birthday else None
