"""The organization's tags, and who carries one. Tags cannot be made by the API (facts: crm-api 1.6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from common.domain.errors import PageUnreadable
from processor.destinations.crm_plus.account import Account
from processor.destinations.crm_plus.contact import rows
from processor.destinations.crm_plus.reading import NOT_FOUND, PAGE_ROWS, Row, every_row, whole_page
from processor.destinations.crm_plus.remembering import remembered

#: In the reference cache: [[id, name], ...].
REMEMBERED_AS = "tags"
#: Up to this many contacts are asked one by one who carries what; more by the tag's own list, 1,000 a request.
SINGLE_LOOKS = 4
BY_TAG = "/api/Contact/ByTag/{tagId}"
BY_CONTACT = "/api/ContactTag/ByContact/{contactId}"

#: Contact id to the id of what ties the tag to it (empty where the list does not tell).
Carriers = dict[str, str]


class Tags:
    """Definitions through the reference cache; carriers always fresh."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def named(self, name: str) -> str | None:
        """The id of a tag; letter case counts only where two differ by nothing else."""
        known = remembered(self._account, REMEMBERED_AS, self._ask, suits=lambda pairs: _find(pairs, name) is not None)
        return _find(known, name)

    def is_known(self, tag_id: str) -> bool:
        known = remembered(self._account, REMEMBERED_AS, self._ask, suits=lambda pairs: _has(pairs, tag_id))
        return _has(known, tag_id)

    def forget(self) -> None:
        """Ask again next time: the list is known to be wrong."""
        self._account.references.forget(self._account.customer_id, REMEMBERED_AS)

    def _ask(self) -> list[list[str]]:
        found = every_row(self._account.api, "/api/Tag")
        return [[str(row["id"]), str(row.get("tagName") or row.get("name") or "")] for row in found]

    def carriers(self, tag_id: str, contact_ids: Sequence[str]) -> Carriers | None:
        """Those of the contacts that carry the tag; None if there is no such tag any more.

        The tag's list leaves out archived contacts: one of those may get a tag a second time.
        """
        if len(contact_ids) > SINGLE_LOOKS:
            page = self._page(tag_id, 0)
            if page is None:
                return None
            if page[1] <= PAGE_ROWS * len(contact_ids):  # else the contacts one by one are fewer requests
                return self._listed(tag_id, *page, set(contact_ids))
        return self.one_by_one(tag_id, contact_ids)

    def one_by_one(self, tag_id: str, contact_ids: Sequence[str]) -> Carriers:
        found = {contact_id: self.of(contact_id, tag_id) for contact_id in contact_ids}
        return {contact_id: tie for contact_id, tie in found.items() if tie is not None}

    def of(self, contact_id: str, tag_id: str) -> str | None:
        """What ties the tag to a contact; nothing does to one that is gone."""
        said = self._account.api.read(BY_CONTACT, names={"contactId": contact_id}, accept=(NOT_FOUND,))
        if said.status == NOT_FOUND:
            return None
        answer = said.json()
        listed = rows(answer) if isinstance(answer, Mapping) else answer
        if not isinstance(listed, list) or not all(isinstance(row, Mapping) and "tagId" in row for row in listed):
            raise PageUnreadable(f"crm_plus: GET {BY_CONTACT}: the answer is no list of tags")
        return next((str(row["id"]) for row in listed if str(row["tagId"]) == tag_id), None)

    def _listed(self, tag_id: str, first: Sequence[Row], total: int, wanted: set[str]) -> Carriers | None:
        found, read = _carriers(first, wanted), len(first)
        while read < total:
            page = self._page(tag_id, read)
            if page is None:
                return None
            own, total = page
            found |= _carriers(own, wanted)
            read += len(own)
        return found

    def _page(self, tag_id: str, skip: int) -> tuple[Sequence[Row], int] | None:
        """Rows and total. Raises PageUnreadable for a page that lacks any: whoever is missing would get it twice."""
        query = {"skip": str(skip), "take": str(PAGE_ROWS)}
        answer = self._account.api.read(BY_TAG, names={"tagId": tag_id}, query=query, accept=(NOT_FOUND,))
        if answer.status == NOT_FOUND:
            return None
        return whole_page(answer.json(), f"GET {BY_TAG}", skip)


def _carriers(listed: Sequence[Row], wanted: set[str]) -> Carriers:
    return {str(row["id"]): str(row.get("contactTagId") or "") for row in listed if str(row.get("id")) in wanted}


def _has(pairs: Sequence[Sequence[Any]], tag_id: str) -> bool:
    return any(pair[0] == tag_id for pair in pairs)


def _find(pairs: Sequence[Sequence[Any]], name: str) -> str | None:
    wanted = name.strip()
    exact = [tag_id for tag_id, said in pairs if said.strip() == wanted]
    alike = [tag_id for tag_id, said in pairs if said.strip().casefold() == wanted.casefold()]
    return next(iter(exact + alike), None)
