"""What changes cost in requests, and so in hours, for the destination's limit counts requests. Pure.

Every formula says what the code of its resource does, from the code's own constants; `test_destination_costs` measures
them against the sandbox, request by request. Not counted: retries, refused batches (halved until the poison is alone:
some fourteen more for a hundred), parts of a person beyond the first, and some ten look-ups a day of tags, note types,
custom fields, projects and the volunteer module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil
from typing import TypeAlias

from common.domain import resources
from common.domain.retry import Confirmation
from processor.destinations.crm_plus.attendances import SHARE_A_READING
from processor.destinations.crm_plus.capabilities import BULK_ROWS
from processor.destinations.crm_plus.contacts_read import MOST_GROUPS, SINGLE_READS
from processor.destinations.crm_plus.earned import AT_ONCE
from processor.destinations.crm_plus.notes import WITH_FIELDS
from processor.destinations.crm_plus.reading import PAGE_ROWS
from processor.destinations.crm_plus.settings import CrmPlusSettings
from processor.destinations.crm_plus.tags import SINGLE_LOOKS

#: Facts: crm-api 2.1, the pace of the recipe (a fifth below 1,500); `FLEET_CRM_REQUESTS_PER_HOUR`.
REQUESTS_PER_HOUR = 1200
#: A backfill may use this part of a limit (`common.domain.limits`), and so may we of one that a header tells.
BUDGET_FRACTION = 0.8
#: `FLEET_SLICE_EVENTS`: what is due together is read and looked for together, up to so many.
SLICE_EVENTS = 200
DAY_SECONDS = 86_400


class Change(StrEnum):
    """What happens to a record; the words of the table."""

    NEW = "new"
    CHANGED = "changed"
    #: A person's part that an import would add to and not replace: another e-mail address or phone number.
    REPLACED = "changed e-mail or phone"
    FILLING = "new, filling custom fields"
    GONE = "gone"


#: Resource and change.
Kind: TypeAlias = tuple[str, Change]
#: How many of each.
Changes: TypeAlias = Mapping[Kind, int]


@dataclass(frozen=True, kw_only=True)
class Load:
    """How a customer's changes come, and what its organization has. The figures are our assumptions."""

    settings: CrmPlusSettings = field(default_factory=CrmPlusSettings)
    #: `Tag/Bulk` and `ContactNote/Bulk` (facts: crm-api 1.6); the volunteer module (1.7).
    has_bulk: bool = True
    has_module: bool = True
    #: Changes of a kind that are due at the same moment: all of a backfill, those of one poll in a steady state.
    together: int = SLICE_EVENTS
    #: Parts of people with a street address; of participations with hours.
    with_address: float = 1.0
    attended: float = 1.0
    #: Participations of a date, memberships of a group, people of a certificate that come together.
    per_date: int = 50
    per_group: int = 100
    per_certificate: int = 25
    #: Opportunities that the organization has: all are listed before one is made.
    opportunities: int = 0
    #: Looks until an import shows what it took: 1 where it runs at once; else see `looks`.
    looks: int = 1


@dataclass(frozen=True, kw_only=True)
class Outlay:
    """In requests, by kind."""

    by_kind: Mapping[Kind, float]

    @property
    def requests(self) -> float:
        return sum(self.by_kind.values())

    def hours(self, per_hour: float = REQUESTS_PER_HOUR) -> float:
        """At a limit of so many requests an hour; with `* BUDGET_FRACTION`, at the part that a backfill may use."""
        return self.requests / per_hour


def outlay(changes: Changes, load: Load) -> Outlay:
    """What these changes cost. Raises KeyError for a kind that nothing is written for: see FORMULAS."""
    return Outlay(by_kind={kind: _of(kind, count, load) for kind, count in changes.items() if count})


def looks(confirmation: Confirmation, held_seconds: float) -> int:
    """How often what is held so long is looked for: see `CONFIRMATIONS` in `client`."""
    age, count = 0.0, 0
    while age < held_seconds or not count:
        age, count = age + confirmation.delay_seconds(age), count + 1
    return count


def per_thousand(kind: Kind, load: Load) -> float:
    return _of(kind, 1000, load)


def _of(kind: Kind, count: int, load: Load) -> float:
    """Of one slice after the other."""
    size = max(1, min(load.together, SLICE_EVENTS))
    full, rest = divmod(count, size)
    formula = FORMULAS[kind]
    return full * formula(size, load) + (formula(rest, load) if rest else 0)


def _people_new(count: int, load: Load) -> float:
    settings = load.settings
    matching = 0 if settings.match == "off" else ceil(count * (1 + load.with_address) / MOST_GROUPS)
    if settings.create == "direct":
        by_reference = 0 if settings.match == "off" else count
        return matching + by_reference + count
    looking = count if count <= SINGLE_READS else 1
    return matching + ceil(count / settings.batch_size) + looking * load.looks


def _people_changed(count: int, load: Load) -> float:
    settings = load.settings
    imported = settings.update == "batch" or (settings.update == "auto" and settings.imports == "at_once")
    if not imported or count < max(settings.batch_updates_from, 2):
        return _people_replaced(count, load)
    return _readings(count, load) + ceil(count / settings.batch_size) + _by_ids(count) * load.looks


def _people_replaced(count: int, load: Load) -> float:
    return _readings(count, load) + count


def _readings(count: int, load: Load) -> float:
    """Before they are written, a batch at a time."""
    size = 1 if load.settings.update == "single" else load.settings.batch_size
    full, rest = divmod(count, size)
    return full * _by_ids(size) + _by_ids(rest)


def _by_ids(count: int) -> int:
    return count if count <= SINGLE_READS else ceil(count / MOST_GROUPS)


def _dates_new(count: int, load: Load) -> float:
    listing = max(1, ceil(load.opportunities / PAGE_ROWS))
    return listing + count if load.has_module else 0


def _participations_new(count: int, load: Load) -> float:
    """Sign-ups are found by one list for a date; an attendance for each that came."""
    came = count * load.attended
    if not load.has_module:
        return 2 * ceil(came / load.settings.batch_size)
    return _groups(count, min(load.per_date, SHARE_A_READING), lambda _: 1) + count + came


def _members_new(count: int, load: Load) -> float:
    return _groups(count, min(load.per_group, BULK_ROWS), lambda size: _carriers(size) + _bulk(size, load))


def _earned_new(count: int, load: Load) -> float:
    """A tag and a note each."""
    size = min(load.per_certificate, AT_ONCE)
    return _groups(count, size, lambda size: _carriers(size) + 2 * _bulk(size, load))


def _completions_new(count: int, load: Load) -> float:
    return _groups(count, BULK_ROWS, lambda size: _bulk(size, load))


def _completions_filling(count: int, load: Load) -> float:
    return _groups(count, WITH_FIELDS, lambda size: 2 * size + _bulk(size, load))


def _gifts_new(count: int, load: Load) -> float:
    """Each is looked for by itself, for no documented look-up takes several."""
    return ceil(count / load.settings.gift_batch_size) + count * load.looks


def _groups(count: int, size: int, of: Callable[[int], float]) -> float:
    full, rest = divmod(count, max(1, size))
    return full * of(max(1, size)) + (of(rest) if rest else 0)


def _carriers(size: int) -> int:
    """Who has the tag: one list, for tags that up to a thousand contacts carry."""
    return size if size <= SINGLE_LOOKS else 1


def _bulk(size: int, load: Load) -> int:
    return 1 if load.has_bulk else size


def _each(requests: int) -> Callable[[int, Load], float]:
    return lambda count, _: requests * count


def _of_module(requests: int) -> Callable[[int, Load], float]:
    return lambda count, load: requests * count if load.has_module else 0


#: Of up to a slice of changes. What is not here is only kept, or a tag that is looked up once a day.
FORMULAS: Mapping[Kind, Callable[[int, Load], float]] = {
    (resources.USERS, Change.NEW): _people_new,
    (resources.USERS, Change.CHANGED): _people_changed,
    (resources.USERS, Change.REPLACED): _people_replaced,
    (resources.USERS, Change.GONE): _each(2),  # GET, archive
    (resources.PROJECTS, Change.NEW): _dates_new,
    (resources.PROJECTS, Change.CHANGED): _of_module(2),
    (resources.PROJECTS, Change.GONE): _of_module(2),
    (resources.PROJECT_DATES, Change.NEW): _dates_new,
    (resources.PROJECT_DATES, Change.CHANGED): _of_module(2),  # GET, PUT
    (resources.PROJECT_DATES, Change.GONE): _of_module(2),
    (resources.PARTICIPATIONS, Change.NEW): _participations_new,
    (resources.PARTICIPATIONS, Change.CHANGED): _of_module(2),  # its attendances, one of them written
    (resources.PARTICIPATIONS, Change.GONE): _of_module(2),
    (resources.GROUP_MEMBERS, Change.NEW): _members_new,
    (resources.GROUP_MEMBERS, Change.GONE): _each(1),
    (resources.EARNED_CERTIFICATES, Change.NEW): _earned_new,
    (resources.EARNED_CERTIFICATES, Change.CHANGED): _each(3),  # who has the tag; the note, GET and PUT
    (resources.EARNED_CERTIFICATES, Change.GONE): _each(3),  # the note, GET and PUT; the tag
    (resources.FORM_COMPLETIONS, Change.NEW): _completions_new,
    (resources.FORM_COMPLETIONS, Change.FILLING): _completions_filling,
    (resources.FORM_COMPLETIONS, Change.CHANGED): _each(2),  # GET, PUT
    (resources.FORM_COMPLETIONS, Change.GONE): _each(2),
    (resources.GIFTS, Change.NEW): _gifts_new,
    (resources.GIFTS, Change.CHANGED): _each(1),  # compared; staff correct it
}
