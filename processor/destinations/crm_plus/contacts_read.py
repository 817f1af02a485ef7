"""Many contacts in one request: by their ids, by when they were modified, by who they may be (facts: crm-api 1.3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from common.domain.errors import PageUnreadable, RecordRefused, UnknownOutcome
from common.domain.people import Person
from processor.destinations.crm_plus import contact as contacts
from processor.destinations.crm_plus.account import Account
from processor.destinations.crm_plus.payloads import address_fields
from processor.destinations.crm_plus.reading import NOT_FOUND

#: Up to this many are read one by one; more by a query that shows 1,000 contacts in one request.
SINGLE_READS = 4
#: Most a query gives at once (facts: crm-api 1.3).
QUERY_ROWS = 1000
#: Groups of conditions in one query; people take two each (our assumption: no limit is documented).
MOST_GROUPS = 100
ONE, FULL = "/api/Contact/{id}", "/api/Contact/Query/FullContact"
#: A condition that every contact meets: a query has to have one.
ANY = {"parameter": "Contact Id", "operator": "GreaterThan", "value": "0"}

Row = Mapping[str, Any]
Group = Mapping[str, Any]


class ContactsRead:
    """Of one account."""

    def __init__(self, account: Account) -> None:
        self._api = account.api

    def one(self, contact_id: str) -> Row | None:
        """None: there is none."""
        answer = self._api.read(ONE, names={"id": contact_id}, accept=(NOT_FOUND,))
        return None if answer.status == NOT_FOUND else contact_in(answer.json(), f"GET {ONE}")

    def by_ids(self, contact_ids: Sequence[str]) -> dict[str, Row]:
        """Archived ones too; what is not there is missing from the answer."""
        wanted = list(dict.fromkeys(contact_ids))
        if len(wanted) <= SINGLE_READS:
            return self._singly(wanted)
        try:
            rows = [
                row for ids in _steps(wanted, MOST_GROUPS) for row in self._query([_is("Contact Id", i) for i in ids])
            ]
        except RecordRefused:
            # The organization does not take such a query: what cannot be asked together is asked singly.
            return self._singly(wanted)
        return {contacts.contact_id(row): row for row in rows}

    def _singly(self, contact_ids: Sequence[str]) -> dict[str, Row]:
        found = {contact_id: self.one(contact_id) for contact_id in contact_ids}
        return {contact_id: row for contact_id, row in found.items() if row is not None}

    def modified_since(self, since: datetime, skip: int) -> tuple[Sequence[Row], int]:
        """A page, and how many there are in all. The newest first: those are mostly who is looked for.

        Archived ones too: what was created may have been archived since.
        """
        condition = {
            "parameter": "Last Modified DateTime UTC",
            "operator": "OnOrAfter",
            "value": since.strftime("%Y-%m-%dT%H:%M:%S"),
        }
        return self._page([{"conditions": [condition]}], skip, archived=True, newest_first=True)

    def alike(self, people: Sequence[Person]) -> list[Row]:
        """Contacts, not archived, with one of these e-mail addresses, or a last name together with its address."""
        groups = [group for person in people for group in _groups_of(person)]
        return [row for step in _steps(groups, MOST_GROUPS) for row in self._query(step, archived=False)]

    def reference_sources(self) -> Counter[str]:
        """Of the newest contacts, up to a page of them: how many carry a reference of each source. One request."""
        rows, _ = self._page([{"conditions": [ANY]}], 0, newest_first=True)
        return Counter(source for row in rows for source in {name for name, _ in contacts.references(row)})

    def _query(self, groups: Sequence[Group], *, archived: bool = True) -> list[Row]:
        found: list[Row] = []
        total = 1 if groups else 0
        while len(found) < total:
            rows, total = self._page(groups, len(found), archived=archived)
            found += rows
        return found

    def _page(
        self, groups: Sequence[Group], skip: int, *, archived: bool = False, newest_first: bool = False
    ) -> tuple[Sequence[Row], int]:
        body = {"groups": list(groups), "sortBy": "Id", "descending": newest_first, "includeArchived": archived}
        query = {"skip": str(skip), "take": str(QUERY_ROWS)}
        return _whole_page(self._api.read(FULL, method="POST", query=query, body=body).json(), skip)


def _groups_of(person: Person) -> list[Group]:
    groups = [_is("Email Address", person.email)] if person.email else []
    address = str(address_fields(person).get("address1", ""))
    if address:
        conditions = [*_is("Last Name", person.last_name)["conditions"], *_is("Address 1", address)["conditions"]]
        groups.append({"conditions": conditions})
    return groups


def _is(parameter: str, value: str) -> Group:
    return {"conditions": [{"parameter": parameter, "operator": "Is", "value": value}]}


def _steps(items: Sequence[Any], size: int) -> list[Sequence[Any]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def _whole_page(answer: Any, skip: int) -> tuple[Sequence[Row], int]:
    """Rows and total. Raises PageUnreadable for a page that lacks any: who is missing there would be created twice."""
    total = answer.get("total") if isinstance(answer, Mapping) else None
    rows = contacts.rows(answer)
    if not str(total).isdecimal() or len(rows) < min(QUERY_ROWS, int(str(total)) - skip):
        raise PageUnreadable(f"crm_plus: POST {FULL}: the answer is not a whole page")
    return rows, int(str(total))


def contact_in(body: Any, where: str) -> Row:
    """The contact in an answer. A create whose answer cannot be read has happened all the same."""
    if isinstance(body, Mapping) and body.get("id") is not None:
        return body
    error = UnknownOutcome if where.startswith("POST") else PageUnreadable
    raise error(f"crm_plus: {where}: the answer is not a contact")
