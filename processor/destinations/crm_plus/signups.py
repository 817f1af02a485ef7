"""The requests about sign-ups and attendances. Facts: crm-api 1.7."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from common.domain.errors import RecordRefused
from processor.destinations.crm_plus.account import Account
from processor.destinations.crm_plus.opportunities import ONE, ROUTE
from processor.destinations.crm_plus.reading import NOT_FOUND, Row, every_row, one_row

VOLUNTEERS = f"{ROUTE}/{{id}}/Volunteers"
ATTENDANCES = f"{VOLUNTEERS}/{{vid}}/Attendance"
ATTENDANCE = f"{ROUTE}/{{id}}/Attendance/{{aid}}"
SEARCH = "/api/Volunteer/Search"
#: How long it is remembered that an opportunity was opened by us, should we die before closing it.
OPENED = timedelta(days=30)


class SignUps:
    """Of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._api = account.api

    def of(self, opportunity_id: str, individual_id: str = "") -> dict[str, str]:
        """Sign-up by individual: of one, or of all. Where staff made several, the oldest."""
        query = {"volunteerOpportunityId": opportunity_id}
        if individual_id:
            query["contactIndividualId"] = individual_id
        found: dict[str, str] = {}
        for row in sorted(every_row(self._api, SEARCH, query=query), key=lambda row: int(row["id"])):
            found.setdefault(str(row.get("contactIndividualId")), str(row["id"]))
        return found

    def sign_up(self, opportunity_id: str, individual_id: str) -> str:
        """The sign-up's id. An inactive opportunity, which takes nobody, is opened for it: see `closing`."""
        try:
            return self._sign_up(opportunity_id, individual_id)
        except RecordRefused as error:
            if error.status == NOT_FOUND or not self._open(opportunity_id):
                raise
        return self._sign_up(opportunity_id, individual_id)

    def _sign_up(self, opportunity_id: str, individual_id: str) -> str:
        number = int(individual_id) if individual_id.isdecimal() else individual_id
        body = {"contactIndividualId": number}
        answer = self._api.send("POST", VOLUNTEERS, names={"id": opportunity_id}, body=body)
        return str(one_row(answer.json(), f"POST {VOLUNTEERS}")["id"])

    def _open(self, opportunity_id: str) -> bool:
        """True if it was inactive. History is signed up too: its hours must arrive."""
        row = self._opportunity(opportunity_id)
        if row.get("isActive") in (True, "true", "True", 1):
            return False
        account = self._account
        account.references.put(account.customer_id, _opened(opportunity_id), True, account.clock.now())
        self._api.send("PUT", ONE, names={"id": opportunity_id}, body={**row, "isActive": True})
        return True

    @contextmanager
    def closing(self, opportunity_id: str) -> Iterator[None]:
        """Around sign-ups, and around looking for them: what was opened for them, also by one who died, is inactive
        again afterwards.
        """
        yield
        account = self._account
        since = account.clock.now() - OPENED
        if account.references.get(account.customer_id, _opened(opportunity_id), not_before=since):
            row = self._opportunity(opportunity_id)
            self._api.send("PUT", ONE, names={"id": opportunity_id}, body={**row, "isActive": False})
            account.references.forget(account.customer_id, _opened(opportunity_id))

    def _opportunity(self, opportunity_id: str) -> Row:
        return one_row(self._api.read(ONE, names={"id": opportunity_id}).json(), f"GET {ONE}")

    def attendances(self, opportunity_id: str, volunteer_id: str) -> list[Row] | None:
        """None: there is no such sign-up any more."""
        try:
            return every_row(self._api, ATTENDANCES, names={"id": opportunity_id, "vid": volunteer_id})
        except RecordRefused as error:
            if error.status != NOT_FOUND:
                raise
            return None

    def attend(self, opportunity_id: str, volunteer_id: str, body: Mapping[str, Any]) -> str:
        names = {"id": opportunity_id, "vid": volunteer_id}
        answer = self._api.send("POST", ATTENDANCES, names=names, body=dict(body))
        return str(one_row(answer.json(), f"POST {ATTENDANCES}")["id"])

    def change(self, opportunity_id: str, row: Row, body: Mapping[str, Any]) -> None:
        """GET, change, PUT the whole."""
        names = {"id": opportunity_id, "aid": str(row["id"])}
        self._api.send("PUT", ATTENDANCE, names=names, body={**row, **body})


def _opened(opportunity_id: str) -> str:
    return f"opened_opportunity/{opportunity_id}"
