"""Notes on contacts: in bulk where there is the endpoint, found by the key in their text, revised as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.domain.errors import PageUnreadable, RecordRefused, UnknownOutcome
from common.domain.writes import Postponed, Refused
from processor.destinations.crm_plus.account import Account
from processor.destinations.crm_plus.capabilities import Capability
from processor.destinations.crm_plus.persons import as_sent
from processor.destinations.crm_plus.reading import NOT_FOUND, Row, every_row, one_row
from processor.destinations.crm_plus.remembering import remembered
from processor.destinations.crm_plus.singly import Window, one_by_one

SINGLE = "/api/ContactNote"
BULK = "/api/ContactNote/Bulk"
ONE = "/api/ContactNote/{id}"
TYPES = "/api/ContactNote/Types"


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A note that is to be written."""

    contact_id: str
    text: str
    #: ISO time of what it tells; empty if the source does not say.
    at: str = ""

    def body(self, kind: str) -> dict[str, Any]:
        body = {"contactId": as_sent(self.contact_id), "type": kind, "note": self.text}
        return {**body, **({"noteDateTime": self.at} if self.at else {}), "important": False, "private": False}


class Notebook:
    """Of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._api = account.api
        self._kind = account.settings.note_type
        self._bulk = Capability(account, BULK)

    def type_problem(self) -> str | None:
        """What mends the setting `note_type`; None if the organization has that type."""
        known = remembered(self._account, "note_types", self._ask_types, suits=lambda types: self._kind in types)
        if self._kind in known:
            return None
        return f"is {self._kind!r}, and CRM+ has the note types {', '.join(known)}: set destination_settings.note_type"

    def _ask_types(self) -> list[str]:
        answer = self._api.read(TYPES).json()
        if not isinstance(answer, list):
            raise PageUnreadable(f"crm_plus: GET {TYPES}: the answer is no list")
        return [
            str(row.get("type") or row.get("name") or "") if isinstance(row, Mapping) else str(row) for row in answer
        ]

    def write(self, drafts: Sequence[Draft], window: Window) -> list[str | Refused | Postponed]:
        """The ids of the new notes. Raises PermanentError if one of several in bulk is refused: none is written."""
        if not drafts:
            return []
        window.require()
        if len(drafts) > 1:
            answer = self._bulk.post({"notes": [draft.body(self._kind) for draft in drafts]})
            if answer is not None:
                return [*_ids(answer.json(), len(drafts))]
        return one_by_one(window, drafts, self.write_one)

    def write_one(self, draft: Draft) -> str:
        answer = self._api.send("POST", SINGLE, body=draft.body(self._kind)).json()
        return str(one_row(answer, f"POST {SINGLE}")["id"])

    def find(self, contact_id: str, keys: Iterable[str]) -> dict[str, Row]:
        """Notes of a contact by key; of two with one key the older. A contact that is gone has none."""
        try:
            listed = every_row(self._api, f"{SINGLE}/ByContact/{{contactId}}", names={"contactId": contact_id})
        except RecordRefused as error:
            if error.status == NOT_FOUND:
                return {}
            raise
        oldest_last = sorted(listed, key=lambda row: (len(str(row["id"])), str(row["id"])), reverse=True)
        return {key: row for row in oldest_last for key in keys if key in text_of(row)}

    def read(self, note_id: str) -> Row | None:
        """None: it is gone."""
        answer = self._api.read(ONE, names={"id": note_id}, accept=(NOT_FOUND,))
        return None if answer.status == NOT_FOUND else one_row(answer.json(), f"GET {ONE}")

    def revise(self, row: Row, text: str) -> None:
        """GET, change, PUT the whole: what is left out is cleared."""
        self._api.send("PUT", ONE, names={"id": str(row["id"])}, body={**row, "note": text})


def text_of(row: Row) -> str:
    return str(row.get("note") or "")


def _ids(answer: Any, count: int) -> list[str]:
    if (
        isinstance(answer, list)
        and len(answer) == count
        and all(isinstance(row, Mapping) and row.get("id") for row in answer)
    ):
        return [str(row["id"]) for row in answer]
    raise UnknownOutcome(f"crm_plus: POST {BULK}: the answer is not as many notes as were sent")
