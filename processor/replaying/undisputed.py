"""The guard of batches: what staff have changed since we last wrote is not overwritten by an old letter.

A live change goes over what is there, for the source has said so just now; a dead letter said it days ago. So a letter
that a batch has put to work is held against the destination once more when it is applied, and comes back as a letter
that names the fields, unless a person has said that the batch may overwrite.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial

import structlog

from common.domain.events import EventState, Origin
from common.domain.mapping import read_mapping
from common.domain.writes import EventOutcome, Refusal, SliceOutcome
from processor.pipeline import Work
from processor.replaying.comparing import compare
from processor.slices import Slice

log = structlog.get_logger(__name__)

#: The reason of a letter that would overwrite what somebody else has changed.
CONFLICT = "conflict"


def undisputed(part: Slice, works: Sequence[Work]) -> list[Work]:
    """The works that may be written; of the others it is recorded why not.

    Raises what the destination's look-up raises; nothing is lost by that.
    """
    watched = [work for work in works if _is_watched(work)]
    if not watched:
        return list(works)  # as with nearly every slice
    disputed = _disputed(part, watched)
    part.record(SliceOutcome(events=tuple(disputed.values())))
    return [work for work in works if work.event.event_id not in disputed]


def _is_watched(work: Work) -> bool:
    """What has no record there overwrites nothing, and a removal writes no values."""
    return work.event.origin == Origin.BATCH and work.link is not None and not work.is_removal


def _disputed(part: Slice, works: Sequence[Work]) -> dict[int, EventOutcome]:
    customer = part.customer
    baselines = part.parts.baselines(customer.customer_id, [work.event.event_id for work in works])
    watched = [work for work in works if work.event.event_id in baselines]
    found = part.destination.read_current([work.as_write() for work in watched]) if watched else {}
    mapping = read_mapping(customer.customer_id, customer.mapping)
    ends = {}
    for work in watched:
        there = found.get(work.entity)
        if there is None:
            continue
        unlike = partial(part.destination.unlike, found=there)
        fields = compare(work, baselines[work.event.event_id], mapping, unlike).disputed
        if fields:
            ends[work.event.event_id] = _refused(work, fields)
    return ends


def _refused(work: Work, fields: Collection[str]) -> EventOutcome:
    names = ", ".join(name for name in fields if name)
    log.warning("replay refused", action="event.dead_lettered", reason=CONFLICT, **work.event.log_context())
    whose = f"customer {work.entity.customer_id}: {work.entity.resource} record"
    said = f"{whose}: changed at the destination by somebody else"
    mend = "keep what is there with `fleet dlq discard`, or replay it with --overwrite"
    refusal = Refusal(reason=CONFLICT, message=f"{said}{': ' if names else ''}{names}: {mend}", field=names)
    return EventOutcome(event_id=work.event.event_id, state=EventState.DEAD_LETTERED, reason=CONFLICT, refusal=refusal)
