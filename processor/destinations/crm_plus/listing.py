"""Many records in one request, to be compared: contacts by an id cursor, and opportunities, which have no other list.

Facts: crm-api 1.3. Up to 1,000 a request; skip drifts and slows, so contacts are asked for above the last id. A
condition on the time of modification is used where QueryOptions offers it, in the variant that is finer than a day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from common.domain.errors import PageUnreadable
from common.domain.listings import Listed, Listing, ListQuery
from common.domain.resources import PARTICIPATIONS, PROJECT_DATES, PROJECTS, USERS
from common.domain.writes import Found, Write
from processor.destinations.crm_plus import contact as contacts
from processor.destinations.crm_plus import opportunity as shown
from processor.destinations.crm_plus.account import Account
from processor.destinations.crm_plus.contacts_read import FULL, MOST_GROUPS, ContactsRead
from processor.destinations.crm_plus.disagreeing import in_contact
from processor.destinations.crm_plus.module import VolunteerModule
from processor.destinations.crm_plus.opportunities import ONE, ROUTE, changes_at
from processor.destinations.crm_plus.reading import NOT_FOUND, PAGE_ROWS, Row, one_row, whole_page

OPTIONS, BRIEF = "/api/Contact/QueryOptions", "/api/Contact/Query"
MODIFIED = "Last Modified DateTime UTC"
#: Without the volunteer module nothing is kept of these, or, of hours, nothing that names its participation.
OF_MODULE = (PROJECTS, PROJECT_DATES, PARTICIPATIONS)
#: In the reference cache, and for how long.
REMEMBERED_AS, KEPT = "contact_query_parameters", timedelta(days=1)


class ContactListing:
    """Contacts of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._api = account.api
        self._contacts = ContactsRead(account)
        self._source = account.settings.reference_source

    def listing(self) -> Listing | None:
        return Listing(page_rows=PAGE_ROWS, rows_by_id=MOST_GROUPS, takes_since=MODIFIED in self._parameters())

    def page(self, query: ListQuery) -> Listed:
        conditions = [{"parameter": "Contact Id", "operator": "GreaterThan", "value": query.after or "0"}]
        if query.modified_since is not None:
            since = query.modified_since.strftime("%Y-%m-%dT%H:%M:%S")
            conditions.append({"parameter": MODIFIED, "operator": "OnOrAfter", "value": since})
        answer = self._api.read(FULL, method="POST", query=_window(PAGE_ROWS), body=_body(conditions)).json()
        rows, total = whole_page(answer, FULL, 0)
        ids = [int(contacts.contact_id(row)) for row in rows]
        if ids != sorted(set(ids)) or (ids and ids[0] <= int(query.after or 0)):
            raise PageUnreadable(f"crm_plus: POST {FULL}: the page is not in order of its ids")
        return Listed(found=[_contact(row) for row in rows], after=str(ids[-1]) if total > len(rows) else None)

    def count(self, up_to: str) -> int:
        conditions = [{"parameter": "Contact Id", "operator": "LessThanOrEqual", "value": up_to}]
        answer = self._api.read(BRIEF, method="POST", query=_window(1), body=_body(conditions)).json()
        return _total(answer, BRIEF)

    def read_back(self, destination_ids: Sequence[str]) -> Mapping[str, Found]:
        return {key: _contact(row) for key, row in self._contacts.by_ids(destination_ids).items()}

    def disagreements(self, write: Write, found: Found) -> Mapping[str, Any]:
        return in_contact(write, found.current)

    def claimed(self, found: Found) -> Sequence[str]:
        """One that is archived, or merged into another, is nobody's double any more."""
        if contacts.is_archived(found.current) or found.current.get("mergedIntoContactId"):
            return ()
        return [source_id for source, source_id in contacts.references(found.current) if source == self._source]

    def _parameters(self) -> Sequence[str]:
        account, now = self._account, self._account.clock.now()
        known = account.references.get(account.customer_id, REMEMBERED_AS, not_before=now - KEPT)
        if known is None:
            answer = self._api.read(OPTIONS, accept=(NOT_FOUND,))
            known = [] if answer.status == NOT_FOUND else _names(answer.json())
            account.references.put(account.customer_id, REMEMBERED_AS, known, now)
        return [str(name) for name in known]


class OpportunityListing:
    """Volunteer opportunities of one account. Their list shows no times, and takes a skip for want of anything else."""

    def __init__(self, account: Account) -> None:
        self._api = account.api
        self._source = account.settings.reference_source
        self._module = VolunteerModule(account)

    def listing(self) -> Listing | None:
        if not self._module.is_there():
            return None
        return Listing(page_rows=PAGE_ROWS, rows_by_id=1, takes_since=False)

    def page(self, query: ListQuery) -> Listed:
        skip = int(query.after or 0)
        window = {"skip": str(skip), "take": str(PAGE_ROWS)}
        rows, total = whole_page(self._api.read(ROUTE, query=window).json(), ROUTE, skip)
        following = skip + len(rows)
        return Listed(found=[_opportunity(row) for row in rows], after=str(following) if total > following else None)

    def count(self, up_to: str) -> int:
        """Of all: a list that is read whole needs no bound."""
        del up_to
        answer = self._api.read(ROUTE, query=_window(1)).json()
        return _total(answer, ROUTE)

    def read_back(self, destination_ids: Sequence[str]) -> Mapping[str, Found]:
        found = {}
        for each in dict.fromkeys(destination_ids):
            answer = self._api.read(ONE, names={"id": each}, accept=(NOT_FOUND,))
            if answer.status != NOT_FOUND:
                found[each] = _opportunity(one_row(answer.json(), f"GET {ONE}"))
        return found

    def disagreements(self, write: Write, found: Found) -> Mapping[str, Any]:
        wanted = changes_at(write, found.current, shown.key_of(write.entity, self._source))
        return {name: found.current.get(name) for name in wanted}

    def claimed(self, found: Found) -> Sequence[str]:
        """Not told: a key may be moved by staff with the text that it stands in."""
        del found
        return ()


class Listings:
    """Implements `Lists` for those resources that have one."""

    def __init__(self, account: Account) -> None:
        opportunities = OpportunityListing(account)
        self._module = VolunteerModule(account)
        self._of: Mapping[str, ContactListing | OpportunityListing] = {
            USERS: ContactListing(account), PROJECTS: opportunities, PROJECT_DATES: opportunities,
        }  # fmt: skip

    def listing(self, resource: str) -> Listing | None:
        own = self._of.get(resource)
        return None if own is None else own.listing()

    def is_kept(self, resource: str) -> bool:
        return resource not in OF_MODULE or self._module.is_there()

    def page(self, query: ListQuery) -> Listed:
        return self._of[query.resource].page(query)

    def count(self, resource: str, up_to: str) -> int:
        return self._of[resource].count(up_to)

    def read_back(self, resource: str, destination_ids: Sequence[str]) -> Mapping[str, Found]:
        return self._of[resource].read_back(destination_ids)

    def disagreements(self, write: Write, found: Found) -> Mapping[str, Any]:
        return self._of[write.entity.resource].disagreements(write, found)

    def claimed(self, resource: str, found: Found) -> Sequence[str]:
        return self._of[resource].claimed(found)

    def has(self, resource: str) -> bool:
        return resource in self._of


def _window(take: int) -> Mapping[str, str]:
    return {"skip": "0", "take": str(take)}


def _body(conditions: Sequence[Mapping[str, str]]) -> Mapping[str, Any]:
    return {"groups": [{"conditions": list(conditions)}], "sortBy": "Id", "descending": False, "includeArchived": True}


def _total(answer: Any, where: str) -> int:
    said = str(answer.get("total")) if isinstance(answer, Mapping) else ""
    if not said.isdecimal():
        raise PageUnreadable(f"crm_plus: {where}: the answer does not say how many there are")
    return int(said)


def _names(answer: Any) -> list[str]:
    options = answer.get("options") if isinstance(answer, Mapping) else None
    return [str(row.get("parameter")) for row in options or [] if isinstance(row, Mapping)]


def _contact(row: Row) -> Found:
    return Found(destination_id=contacts.contact_id(row), details={}, current=row)


def _opportunity(row: Row) -> Found:
    return Found(destination_id=str(one_row(row, f"GET {ROUTE}")["id"]), details={}, current=row)
