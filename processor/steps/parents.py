"""What hangs on another entity waits until that one is at the destination."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TypeAlias

from common.domain.entities import EntityKey
from common.domain.errors import PermanentError
from common.domain.events import OPEN_STATES, EventState
from common.domain.retry import AT_ONCE
from common.domain.writes import EventOutcome
from processor.pipeline import Work

#: A parent that comes at all is detected within a day, by the next reconciliation at the latest; three are a weekend
#: in which nobody looks at its dead letter.
LONGEST_WAIT = timedelta(hours=72)

#: How a parent without a link stands, and what mends it. One that was never detected is in none of these states.
STANDS: Mapping[EventState, tuple[str, str]] = {
    EventState.DEAD_LETTERED: ("is a dead letter", "mend or replay that one first"),
    EventState.SKIPPED: ("was skipped", "let it through: see why with `fleet events`"),
    EventState.DISCARDED: ("was discarded", "replay that one, or discard this one too"),
    EventState.SUBMITTED: ("is held by the destination", "have its import run"),
    EventState.PENDING: ("is on its way", "nothing: it is applied first"),
}
UNHEARD_OF = ("has not been detected", "see that the source shows it to our token")


#: How entities stand that are needed and have no link: the states of their newest events.
States: TypeAlias = Mapping[EntityKey, EventState]
NOTHING_KNOWN: States = MappingProxyType({})


def parents_linked(work: Work, now: datetime, states: States) -> Work | EventOutcome:
    """It is woken when the link is recorded; should that be missed, it asks again, ever less often.

    Raises PermanentError, naming parent and mend, for what has waited too long for one that is not even on its way.
    """
    missing = next((entity for entity in work.needs if entity not in work.parents), None)
    if missing is None:
        return work
    state = states.get(missing)
    waited = now - work.event.detected_at
    if waited >= LONGEST_WAIT and state not in OPEN_STATES:
        raise _parent_missing(work, missing, state)
    return EventOutcome(
        event_id=work.event.event_id,
        state=work.event.state,
        reason=f"waits for {_name(missing)}, which {_stands(state)[0]}",
        retry_at=now + timedelta(seconds=AT_ONCE.delay_seconds(waited.total_seconds())),
        waits_for=missing,
    )


def _parent_missing(work: Work, missing: EntityKey, state: EventState | None) -> PermanentError:
    stands, mend = _stands(state)
    said = f"customer {work.entity.customer_id}: {work.entity.resource} record: it needs {_name(missing)}"
    message = f"{said}, which {stands}: {mend}, then replay"
    return PermanentError(message, reason="parent_missing", field=missing.resource)


def _name(entity: EntityKey) -> str:
    return f"{entity.resource}/{entity.source_id}"


def _stands(state: EventState | None) -> tuple[str, str]:
    return UNHEARD_OF if state is None else STANDS.get(state, ("has left no link", "replay that one first"))
