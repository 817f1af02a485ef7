"""The canonical record behind the resource `users`: a person, between any source and any destination."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

USERS = "users"


@dataclass(frozen=True, kw_only=True)
class Person:
    """A volunteer. Text is trimmed, the e-mail address lower case; what the source lacks is an empty string."""

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

    def to_body(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def birth_date(self) -> date | None:
        return date.fromisoformat(self.birthday) if self.birthday else None


def person_from_body(body: Mapping[str, Any]) -> Person:
    """Read a body written by `to_body`, of this release or an older one. Unknown keys are ignored."""
    known = {name: body[name] for name in Person.__dataclass_fields__ if name in body}
    return Person(**known)
