"""What is seen of dead letters' records just now: at the source, and at the destination, within their budgets.

On the share of what can wait, and through the customer's breakers, like any other request. A side that may not be asked
any more is told, and what it was not asked of is decided when the letter is applied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from common.cli.bootstrap import Parts
from common.cli.destinations import open_destination
from common.cli.verification import client_of
from common.domain.batches import Baseline
from common.domain.customers import Customer, System
from common.domain.destinations import Destination
from common.domain.drift import AtSource
from common.domain.entities import EntityKey
from common.domain.errors import SyncError
from common.domain.letters import Stage
from common.domain.limits import Share
from common.domain.mapping import FieldMapping, read_mapping
from common.domain.passages import passing
from common.domain.replays import Facts, Sight
from common.domain.sources import PageQuery
from common.domain.writes import Found
from common.limits.counting import Counting
from poller.comparing import CompareParts
from poller.comparing import compare as compare_source
from poller.sources import registry as sources
from processor.pipeline import Work
from processor.replaying.comparing import compare
from processor.replaying.reading import read_current, unlike
from processor.steps.line import first_steps, last_steps, pass_through

#: Records that are asked for together: what a budget that ends in between leaves unseen is no more than this.
STEP = 20


@dataclass(kw_only=True)
class Seen:
    """By letter; and what it has cost."""

    sights: dict[int, Sight] = field(default_factory=dict)
    source_requests: int = 0
    destination_requests: int = 0
    #: Why a side was not asked to the end.
    notes: list[str] = field(default_factory=list)

    def sight(self, number: int) -> Sight:
        return self.sights.get(number, Sight())


def see(parts: Parts, customer: Customer, found: Sequence[Facts], baselines: Mapping[int, Baseline]) -> Seen:
    """Raises CustomerInvalid if the customer has no token, or its settings are malformed."""
    seen = Seen()
    _see_source(parts, customer, found, seen)
    _see_destination(parts, customer, [each for each in found if each.letter.stage == Stage.APPLY], baselines, seen)
    return seen


def _see_source(parts: Parts, customer: Customer, found: Sequence[Facts], seen: Seen) -> None:
    """Whether each is there, by its id, where the source tells of single ones; and what has changed since a scan.

    A list of what was modified since the checkpoint is for all of them together: a page, mostly.
    """
    counted, definition = Counting(parts.budget), sources.definition(customer)
    try:
        with passing(parts.breakers, parts.clock, customer.customer_id, System.SOURCE) as passage:
            token = parts.vault.open(customer.customer_id, System.SOURCE)
            api = client_of(parts, customer, System.SOURCE, token, counted, Share.RECONCILIATION)
            source = definition.open(api, customer)
            asked = CompareParts(source=source, store=parts.verified, now=parts.clock.now, watch=passage.watch)
            singles = {name: terms.one for name, terms in definition.terms.items() if terms.one}
            for resource in sorted({each.letter.resource for each in found} & singles.keys()):
                changed = compare_source(asked, customer.customer_id, resource, full=False).differing
                for each in (each for each in found if each.letter.resource == resource):
                    query = PageQuery(resource=resource, scope=f"{singles[resource]}/{each.letter.source_id}")
                    is_gone = passage.watch(partial(source.page, query)).is_gone
                    other = changed.get(each.letter.source_id, AtSource.SAME)
                    seen.sights[each.letter.dead_letter_id] = Sight(source=AtSource.GONE if is_gone else other)
    except SyncError as error:
        seen.notes.append(f"the source was not asked to the end: {error}")
    seen.source_requests = counted.count


def _see_destination(
    parts: Parts, customer: Customer, found: Sequence[Facts], baselines: Mapping[int, Baseline], seen: Seen
) -> None:
    counted = Counting(parts.budget)
    try:
        with passing(parts.breakers, parts.clock, customer.customer_id, System.DESTINATION) as passage:
            destination = open_destination(parts, customer, budget=counted, share=Share.RECONCILIATION)
            mapping = read_mapping(customer.customer_id, customer.mapping)
            for start in range(0, len(found), STEP):
                works = _works(parts, destination, mapping, found[start : start + STEP], seen)
                writes = [work.as_write() for work in works.values()]
                there = passage.watch(partial(read_current, destination, writes), proves=False) if writes else {}
                for number, work in works.items():
                    _compare(destination, mapping, work, baselines.get(work.event.event_id), there, number, seen)
    except SyncError as error:
        seen.notes.append(f"the destination was not looked at to the end: {error}")
    seen.destination_requests = counted.count


def _works(
    parts: Parts, destination: Destination, mapping: FieldMapping, found: Sequence[Facts], seen: Seen
) -> Mapping[int, Work]:
    """What could be looked for; of the others it is seen why they would be refused."""
    works = {}
    for each in found:
        number = each.letter.dead_letter_id
        # As if nothing had been applied: the ledger's word is not what is there now.
        link = None if each.link is None else replace(each.link, applied_version=0, applied_hash="")
        wanted = pass_through([Work(entity=each.event.entity, event=each.event, link=link)], first_steps(mapping))
        ready = [work.with_parents(parts.delivery.links(work.needs)) for work in wanted.works]
        plan = pass_through(ready, last_steps(destination, parts.clock.now()))
        ended = next(iter((*wanted.ended, *plan.ended)), None)
        if plan.works:
            works[number] = plan.works[0]
        elif ended is not None and ended.refusal is not None:
            seen.sights[number] = replace(seen.sight(number), refusal=ended.refusal.message)
    return works


def _compare(
    destination: Destination, mapping: FieldMapping, work: Work, before: Baseline | None,
    there: Mapping[EntityKey, Found], number: int, seen: Seen,
) -> None:  # fmt: skip
    found = there.get(work.entity)
    if found is None:
        # It is not there: all of it would be written.
        wanted = {} if work.is_removal else dict(work.event.payload)
        seen.sights[number] = replace(seen.sight(number), wanted=wanted)
        return
    told = compare(work, before, mapping, lambda write: unlike(destination, write, found))
    seen.sights[number] = replace(seen.sight(number), wanted=told.wanted, disputed=told.disputed)
