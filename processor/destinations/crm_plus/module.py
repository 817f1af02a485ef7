"""Whether the organization uses the volunteer module; many do not (facts: crm-api 1.7)."""

from __future__ import annotations

from datetime import timedelta

from processor.destinations.crm_plus.account import Account
from processor.destinations.crm_plus.reading import NOT_FOUND

#: In the reference cache.
REMEMBERED_AS = "volunteer_module"
#: It is bought or given up seldom.
KEPT = timedelta(days=1)
#: Stands before an opportunity's name where there is no opportunity, and so no id.
VIRTUAL = "name:"


class VolunteerModule:
    """Found by one probe, and remembered."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def is_there(self) -> bool:
        account = self._account
        now = account.clock.now()
        known = account.references.get(account.customer_id, REMEMBERED_AS, not_before=now - KEPT)
        if known is None:
            answer = account.api.read("/api/VolunteerOpportunity", query={"take": "1"}, accept=(NOT_FOUND,))
            known = answer.status != NOT_FOUND
            account.references.put(account.customer_id, REMEMBERED_AS, known, now)
        return bool(known)


def virtual_id(name: str) -> str:
    """The destination id of an opportunity that is only a name on an import."""
    return f"{VIRTUAL}{name}"


def is_virtual(destination_id: str) -> bool:
    return destination_id.startswith(VIRTUAL)
