"""The organization's projects (funds), by code: what a gift may be given to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.domain.errors import PageUnreadable
from processor.destinations.crm_plus.account import Account
from processor.destinations.crm_plus.reading import NOT_FOUND
from processor.destinations.crm_plus.remembering import remembered

ROUTE = "/api/Project/Code/{code}"
UNKNOWN, INACTIVE, ACTIVE = "unknown", "inactive", "active"


class Projects:
    """Of one account, through the reference cache."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def problem(self, code: str) -> str | None:
        """What mends a gift to it; None if there is nothing to mend."""
        stands = remembered(
            self._account, f"project/{code}", lambda: self._ask(code), suits=lambda known: known == ACTIVE
        )
        if stands == UNKNOWN:
            return (
                f"is {code!r}, and CRM+ has no project of that code: create it there, or correct the code, and replay"
            )
        if stands == INACTIVE:
            return f"is {code!r}, a project that is not active in CRM+: activate it, or choose another, and replay"
        return None

    def _ask(self, code: str) -> str:
        answer = self._account.api.read(ROUTE, names={"code": code}, accept=(NOT_FOUND,))
        if answer.status == NOT_FOUND:
            return UNKNOWN
        project: Any = answer.json()
        if not isinstance(project, Mapping) or "isActive" not in project:
            raise PageUnreadable(f"crm_plus: GET {ROUTE}: the answer is no project")
        return ACTIVE if str(project["isActive"]).lower() == "true" else INACTIVE
