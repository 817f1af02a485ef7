"""At first sight: is this somebody new, somebody the destination has already, or somebody a person must look at?

The ladder: a known link (then nobody is asked), the e-mail address among our own people, and then what the destination
itself says (`Destination.match`: reference, e-mail, address and last name). A match is linked before anything is
written, so from then on the entity is updated and never created.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import structlog

from common.domain.entities import EntityKey
from common.domain.events import EventState
from common.domain.identities import EmailUse
from common.domain.people import Person
from common.domain.writes import (
    EventOutcome,
    Link,
    Matched,
    NeedsReview,
    Review,
    ReviewKind,
    SliceOutcome,
    merged,
)
from processor.attempts import of_answer
from processor.pipeline import Work
from processor.slices import Slice

log = structlog.get_logger(__name__)

#: What is held is looked at again by itself: the other may have left the address, or been deleted.
REVIEW_AGAIN = timedelta(days=1)


def identify(part: Slice, works: Sequence[Work]) -> list[Work]:
    """The works that may be written: as they are, or as updates of what was found there. The others are held.

    Raises what the destination's look-up raises; nothing is lost by that.
    """
    unlinked = [work for work in works if work.link is None and not work.is_removal]
    if not unlinked:
        return list(works)
    decided = part.parts.store.cleared([work.entity for work in unlinked])
    open_ones = [work for work in unlinked if work.entity not in decided]
    held = _taken_addresses(part, open_ones)
    # What was sent without an answer has been looked for; but it may have another's address by now.
    first_seen = [work for work in open_ones if work.unresolved is None and work.entity not in held]
    matches = part.destination.match([work.as_write() for work in first_seen]) if first_seen else {}
    held |= {entity: found.review for entity, found in matches.items() if isinstance(found, NeedsReview)}
    matched = {entity: found for entity, found in matches.items() if isinstance(found, Matched)}
    held |= _known_by_others(part, first_seen, matched)
    linked = {entity: _link(entity, found) for entity, found in matched.items() if found.is_told and entity not in held}
    _record(part, works, held, linked)
    left = [work for work in works if work.entity not in held]
    return [_ready(work, linked.get(work.entity), is_decided=work.entity in decided) for work in left]


def _ready(work: Work, link: Link | None, *, is_decided: bool) -> Work:
    if is_decided:
        return replace(work, as_new=True)
    return work.linked(link) if link is not None else work


def _taken_addresses(part: Slice, works: Sequence[Work]) -> dict[EntityKey, Review]:
    """New people whose address is another's, also another's in this very slice."""
    addresses = {work.entity: work.desired.email for work in works if isinstance(work.desired, Person)}
    wanted = sorted({address for address in addresses.values() if address})
    if not wanted:
        return {}
    owners = dict(part.parts.store.email_owners(part.customer.customer_id, wanted))
    held = {}
    for entity, address in addresses.items():
        owner = owners.setdefault(address, entity) if address else entity
        if owner != entity:
            held[entity] = _taken(part, entity, owner)
    return held


def _taken(part: Slice, entity: EntityKey, owner: EntityKey) -> Review:
    link = part.parts.store.links([owner]).get(owner)
    return Review(
        entity=entity,
        kind=ReviewKind.EMAIL_TAKEN,
        reason=f"its e-mail address is that of {owner.resource}/{owner.source_id}",
        candidates=(link.destination_id,) if link else (),
    )


def _known_by_others(
    part: Slice, works: Sequence[Work], matched: Mapping[EntityKey, Matched]
) -> dict[EntityKey, Review]:
    """A second person would overwrite the first, whose record it is, and whose place in it."""
    people = [work.entity for work in works if work.entity in matched and isinstance(work.desired, Person)]
    if not people:
        return {}
    ids = {matched[entity].destination_id for entity in people}
    links = list(part.parts.store.links_to(part.customer.customer_id, people[0].resource, ids))
    held = {}
    for entity in people:
        found = matched[entity]
        other = next((link.entity for link in links if _is_same(found, link)), None)
        if other is None:
            links.append(_link(entity, found))
        else:
            held[entity] = _known(entity, found, other)
    return held


def _is_same(found: Matched, link: Link) -> bool:
    """Not only the record, but also who in it: a household is of several people, and may be of more."""
    is_somebody_in_it = all(found.details.values()) and found.details.items() <= link.details.items()
    return found.destination_id == link.destination_id and is_somebody_in_it


def _known(entity: EntityKey, found: Matched, other: EntityKey) -> Review:
    return Review(
        entity=entity,
        kind=ReviewKind.EMAIL_TAKEN if found.rung == "email" else ReviewKind.AMBIGUOUS,
        reason=f"who it seems to be at the destination is {other.resource}/{other.source_id}",
        candidates=(found.destination_id,),
    )


def _link(entity: EntityKey, found: Matched) -> Link:
    details = {**found.details, "adopted": True, "rung": found.rung}
    return Link(entity=entity, destination_id=found.destination_id, details=details)


def _record(
    part: Slice, works: Sequence[Work], held: Mapping[EntityKey, Review], linked: Mapping[EntityKey, Link]
) -> None:
    outcomes = [hold(work, held[work.entity], part) for work in works if work.entity in held]
    uses = [
        EmailUse(entity=work.entity, email=work.desired.email)
        for work in works
        if work.entity in linked and isinstance(work.desired, Person)
    ]
    for link in linked.values():
        log.info("found at the destination", action="identity.matched", rung=link.details["rung"], **_ids(link.entity))
    part.record(merged([*outcomes, SliceOutcome(links=tuple(linked.values()), emails=tuple(uses))]))


def hold(work: Work, review: Review, part: Slice) -> SliceOutcome:
    """Until a person decides, or the cause has gone by itself."""
    log.warning("held for review", action="identity.held", kind=review.kind, **_ids(work.entity))
    waiting = EventOutcome(
        event_id=work.event.event_id,
        state=EventState.PENDING,
        reason=f"held for review: {review.reason}; see `fleet matches`",
        retry_at=part.now + REVIEW_AGAIN,
        until_newer=True,
    )
    held = of_answer(part.mark, work.event, NeedsReview(review=review))
    return SliceOutcome(events=(waiting,), reviews=(review,), attempts=(held,))


def _ids(entity: EntityKey) -> dict[str, str]:
    return {"customer_id": entity.customer_id, "resource": entity.resource, "source_id": entity.source_id}
