"""Endpoints that some organizations have and others lack, found out by using them.

Facts: crm-api 1.6; recipes name Tag/Bulk and ContactNote/Bulk, and no registry has them. The first use is the probe: it
either does its work, or is a 404 or 405 and has done nothing.
"""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Any

from common.http.answers import Answer
from processor.destinations.crm_plus.account import Account

#: Asked again once a month: one refused request, against a hundred single ones for every batch it may save.
KEPT = timedelta(days=30)
ABSENT = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)
#: Most that one bulk request may hold (our assumption; facts: "limits not found").
BULK_ROWS = 100


class Capability:
    """One such endpoint of one account."""

    def __init__(self, account: Account, route: str) -> None:
        self._account = account
        self._route = route
        self._name = f"endpoint{route.removeprefix('/api')}"

    def post(self, body: Any) -> Answer | None:
        """None: the organization lacks the endpoint, and nothing was written. An unknown outcome teaches nothing.

        Of an endpoint that has worked, a 404 may mean a record that is missing: for that, only this time goes singly.
        """
        known = self._known()
        if known is False:
            return None
        answer = self._account.api.send("POST", self._route, body=body, accept=ABSENT)
        is_there = answer.status not in ABSENT
        if known is None:
            self._remember(is_there=is_there)
        return answer if is_there else None

    def _known(self) -> bool | None:
        account = self._account
        answer = account.references.get(account.customer_id, self._name, not_before=account.clock.now() - KEPT)
        return None if answer is None else bool(answer)

    def _remember(self, *, is_there: bool) -> None:
        account = self._account
        account.references.put(account.customer_id, self._name, is_there, account.clock.now())
