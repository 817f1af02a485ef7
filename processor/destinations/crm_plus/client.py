"""The destination as a whole: each write goes to the shape of its resource."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from common.domain.clock import Clock
from common.domain.customers import Customer
from common.domain.entities import EntityKey
from common.domain.errors import RecordRefused
from common.domain.listings import Listed, Listing, ListQuery
from common.domain.references import ReferenceCache
from common.domain.resources import (
    CERTIFICATES,
    EARNED_CERTIFICATES,
    FORM_COMPLETIONS,
    GIFTS,
    GROUP_MEMBERS,
    GROUPS,
    PARTICIPATIONS,
    PROJECT_DATES,
    PROJECTS,
    USERS,
)
from common.domain.retry import AT_ONCE, BY_STAFF, NIGHTLY, Confirmation
from common.domain.writes import Answer, Found, Matched, NeedsReview, Preview, Write
from common.http.client import ApiClient
from processor.destinations.crm_plus.account import Account
from processor.destinations.crm_plus.attendances import Attendances
from processor.destinations.crm_plus.contacts_read import ContactsRead
from processor.destinations.crm_plus.custom_fields import CustomFields
from processor.destinations.crm_plus.earned import Earned
from processor.destinations.crm_plus.finding import find
from processor.destinations.crm_plus.gifts import Gifts
from processor.destinations.crm_plus.labelled import Labelled
from processor.destinations.crm_plus.labels import Labels
from processor.destinations.crm_plus.listing import Listings
from processor.destinations.crm_plus.notes import Notes
from processor.destinations.crm_plus.opportunities import Opportunities
from processor.destinations.crm_plus.people import People
from processor.destinations.crm_plus.reading import NOT_FOUND
from processor.destinations.crm_plus.settings import CrmPlusSettings, read_settings
from processor.destinations.crm_plus.shape import Shape

#: What each resource becomes: one line each. A handler lets no other resource through.
SHAPES: Mapping[str, Callable[[Account], Shape]] = {
    USERS: People,
    PROJECTS: Opportunities,
    PROJECT_DATES: Opportunities,
    PARTICIPATIONS: Attendances,
    GROUPS: Labels,
    GROUP_MEMBERS: Labelled,
    CERTIFICATES: Labels,
    EARNED_CERTIFICATES: Earned,
    FORM_COMPLETIONS: Notes,
    GIFTS: Gifts,
}

#: When to look for held imports, by the expectation that the customer's settings name.
CONFIRMATIONS: Mapping[str, Confirmation] = {"at_once": AT_ONCE, "nightly": NIGHTLY, "by_staff": BY_STAFF}


def open_crm_plus(api: ApiClient, customer: Customer, clock: Clock, references: ReferenceCache) -> CrmPlusDestination:
    """Raises CustomerInvalid if the customer's settings are malformed."""
    account = Account(
        customer_id=customer.customer_id, api=api, settings=read_settings(customer), clock=clock, references=references
    )
    return CrmPlusDestination(account)


class CrmPlusDestination:
    """Implements `common.domain.destinations.Destination` for one customer's key."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._custom_fields = CustomFields(account)
        self._listings = Listings(account)
        self._shapes = {resource: shape(account) for resource, shape in SHAPES.items()}
        self.visibility_seconds = account.settings.visibility_seconds
        self.confirmation = CONFIRMATIONS[account.settings.imports]
        # A write of several requests stops sending once a deadline has passed, so its last one ends within another.
        self.settle_seconds = 2 * account.api.deadline_seconds + account.settings.visibility_seconds

    def check(self, write: Write) -> None:
        self._of(write).check(write)

    def group(self, write: Write) -> str:
        return f"{write.entity.resource}/{self._of(write).group(write)}"

    def group_limit(self, write: Write) -> int:
        return self._of(write).group_limit(write)

    def match(self, writes: Sequence[Write]) -> Mapping[EntityKey, Matched | NeedsReview]:
        found: dict[EntityKey, Matched | NeedsReview] = {}
        for own in _by_resource(writes):
            found |= self._of(own[0]).match(own)
        return found

    def apply(self, writes: Sequence[Write]) -> Sequence[Answer]:
        refused = self._custom_fields.refused(writes)
        left = [write for write in writes if write.entity not in refused]
        answers = iter(self._of(writes[0]).apply(left) if left else ())
        return [refused.get(write.entity) or next(answers) for write in writes]

    def look(self, writes: Sequence[Write], since: datetime) -> Mapping[EntityKey, Found]:
        found: dict[EntityKey, Found] = {}
        for own in _by_resource(writes):
            found |= self._of(own[0]).look(own, since)
        return found

    def differs(self, write: Write, found: Found) -> bool:
        return self._of(write).differs(write, found)

    def preview(self, write: Write) -> Sequence[Preview]:
        """Raises RecordRefused where `apply` would refuse: what is shown is what would be sent."""
        refused = self._custom_fields.refused([write]).get(write.entity)
        if refused is not None:
            refusal = refused.refusal
            raise RecordRefused(refusal.message, reason=refusal.reason, field=refusal.field)
        return self._of(write).preview(write)

    def missing_fields(self, resource: str, names: Sequence[str]) -> Sequence[str]:
        return self._custom_fields.missing(resource, names) if names else []

    def others_writing(self) -> Mapping[str, int]:
        """As `SeesOthers`: by the source of references, of those that the customer's `other_sources` name."""
        settings, found = self._account.settings, ContactsRead(self._account).reference_sources()
        theirs = {name.casefold() for name in settings.other_sources} - {settings.reference_source.casefold()}
        return {name: count for name, count in sorted(found.items()) if name.casefold() in theirs}

    def probe(self) -> bool:
        """As `Probed`. Of the default path a 404 is what it is of any call: refused."""
        path = self._account.settings.probe_path
        is_own = path != CrmPlusSettings.model_fields["probe_path"].default
        return self._account.api.read(path, accept=(NOT_FOUND,) if is_own else ()).status != NOT_FOUND

    def find(self, resource: str, destination_id: str) -> Found | None:
        return find(self._account, resource, destination_id)

    def listing(self, resource: str) -> Listing | None:
        """As `Lists`, of contacts and opportunities; this and the next six."""
        return self._listings.listing(resource)

    def is_kept(self, resource: str) -> bool:
        return self._listings.is_kept(resource)

    def list_page(self, query: ListQuery) -> Listed:
        return self._listings.page(query)

    def list_count(self, resource: str, up_to: str) -> int:
        return self._listings.count(resource, up_to)

    def read_back(self, resource: str, destination_ids: Sequence[str]) -> Mapping[str, Found]:
        return self._listings.read_back(resource, destination_ids)

    def claimed(self, resource: str, found: Found) -> Sequence[str]:
        return self._listings.claimed(resource, found)

    def disagreements(self, write: Write, found: Found) -> Mapping[str, Any]:
        """Of a kind without a list: that it differs, and no more."""
        if self._listings.has(write.entity.resource):
            return self._listings.disagreements(write, found)
        return {"": None} if self.differs(write, found) else {}

    def _of(self, write: Write) -> Shape:
        return self._shapes[write.entity.resource]


def _by_resource(writes: Sequence[Write]) -> list[list[Write]]:
    groups: dict[str, list[Write]] = defaultdict(list)
    for write in writes:
        groups[write.entity.resource].append(write)
    return list(groups.values())
