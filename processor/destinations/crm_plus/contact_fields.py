"""Custom fields of a contact that is there: GET, change, PUT the whole, as an array (facts: crm-api 1.6)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from common.domain.errors import RecordRefused, SystemUnavailable
from processor.destinations.crm_plus.account import Account
from processor.destinations.crm_plus.contact_values import lacks, whole
from processor.destinations.crm_plus.reading import NOT_FOUND, Row, nothing_sent, one_row
from processor.destinations.crm_plus.singly import Window

ROUTE = "/api/Contact/{id}"
#: How often somebody may change the contact between our GET and our PUT before it is left for later.
TRIES = 3


class ContactFields:
    """Of one account."""

    def __init__(self, account: Account) -> None:
        self._api = account.api

    def read(self, contact_id: str) -> Row | None:
        """None: there is no such contact any more."""
        answer = self._api.read(ROUTE, names={"id": contact_id}, accept=(NOT_FOUND,))
        return None if answer.status == NOT_FOUND else one_row(answer.json(), f"GET {ROUTE}")

    def set(self, contact_id: str, values: Mapping[str, Any], window: Window) -> bool:
        """True if anything had to be changed. May be repeated. Raises RecordRefused if the contact is gone."""
        for _ in range(TRIES):
            with nothing_sent():
                contact = self.read(contact_id)
            if contact is None:
                raise _gone(contact_id)
            if not lacks(contact, values):
                return False
            window.require()
            if self._put(contact, values):
                return True
        raise SystemUnavailable("crm_plus: the contact is being changed by others; it comes again", sent=False)

    def _put(self, contact: Row, values: Mapping[str, Any]) -> bool:
        """False: it was changed since it was read."""
        try:
            self._api.send("PUT", ROUTE, names={"id": str(contact["id"])}, body=whole(contact, values))
        except RecordRefused as error:
            if error.status == HTTPStatus.CONFLICT:
                return False
            raise
        return True


def _gone(contact_id: str) -> RecordRefused:
    mend = f"contact {contact_id} is gone from CRM+: link its person to another one and replay"
    return RecordRefused(f"crm_plus: {mend}", reason="contact_gone", field="user_id", status=NOT_FOUND)
