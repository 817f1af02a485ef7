"""The line of steps that every piece of work passes.

There is no loop guard yet: the sync is one-way, so nothing we write comes back as a change of the source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias

import structlog

from common.domain.destinations import Destination
from common.domain.errors import PermanentError
from common.domain.events import EventState
from common.domain.identities import EmailUse
from common.domain.mapping import FieldMapping
from common.domain.writes import EventOutcome, Link
from processor.pipeline import Plan, Work, dead_lettered
from processor.steps.check import checked
from processor.steps.handle import handled
from processor.steps.ledger import not_done_yet
from processor.steps.mapped import as_configured
from processor.steps.parents import NOTHING_KNOWN, States, parents_linked
from processor.steps.read import readable

log = structlog.get_logger(__name__)

#: A step returns the work, perhaps with more known of it, or what it ended as. It may raise PermanentError.
Step: TypeAlias = Callable[[Work], Work | EventOutcome]


def first_steps(mapping: FieldMapping) -> tuple[Step, ...]:
    """From an event to what should be; in order. What it hangs on is known after these."""
    return readable, handled, lambda work: as_configured(work, mapping)


def last_steps(destination: Destination, now: datetime, states: States = NOTHING_KNOWN) -> tuple[Step, ...]:
    """From what should be to what is to be written; in order."""
    return lambda work: parents_linked(work, now, states), not_done_yet, lambda work: checked(work, destination)


def pass_through(works: Iterable[Work], line: tuple[Step, ...]) -> Plan:
    """What comes out at the end of the line, and what ended on the way."""
    left: list[Work] = []
    ended: list[EventOutcome] = []
    links: list[Link] = []
    emails: list[EmailUse] = []
    for work in works:
        result = _through(work, line)
        if isinstance(result, EventOutcome) and result.state is EventState.UNCHANGED and work.link is not None:
            # The destination has this version too: an older one that is replayed must not come after it.
            links.append(replace(work.link, applied_version=work.event.version))
        if isinstance(result, EventOutcome) and result.state is EventState.SKIPPED and work.is_removal:
            emails += work.email_uses
        (ended if isinstance(result, EventOutcome) else left).append(result)  # type: ignore[arg-type]
    return Plan(works=tuple(left), ended=tuple(ended), links=tuple(links), emails=tuple(emails))


def _through(work: Work, line: tuple[Step, ...]) -> Work | EventOutcome:
    for step in line:
        try:
            result = step(work)
        except PermanentError as error:
            return _dead_letter(work, error)
        except Exception as defect:
            # Of ours, and certain to come again: it must not hold up the others, nor be repeated for ever.
            log.exception("step is broken", action="event.defect", **work.event.log_context())
            return _dead_letter(work, _as_permanent(work, defect))
        if isinstance(result, EventOutcome):
            return result
        work = result
    return work


def _as_permanent(work: Work, defect: Exception) -> PermanentError:
    said = f"customer {work.entity.customer_id}: event {work.event.event_id}: defect: {type(defect).__name__}"
    return PermanentError(f"{said}; see the log for its trace id, and replay it after an upgrade", reason="defect")


def _dead_letter(work: Work, error: PermanentError) -> EventOutcome:
    log.warning(
        "event cannot be applied", action="event.dead_lettered", reason=error.reason, **work.event.log_context()
    )
    return dead_lettered(work, error, str(error))
