"""What the destination should hold of a record: the handler's decision and the customer's mapping, as for an event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from common.domain.entities import EntityKey
from common.domain.events import EVENT_VERSION, Action, Event, EventState, Origin
from common.domain.mapping import FieldMapping
from common.domain.verifying import KnownRecord
from common.domain.writes import REMOVED, Link, Write
from processor.pipeline import Work
from processor.steps.line import first_steps, pass_through

#: Begins the hash of what ought to be there and cannot be mapped; no destination holds anything with such a hash.
UNMAPPED = "unmapped:"


@dataclass(frozen=True, kw_only=True)
class Expected:
    """Of one record."""

    #: Should be there at all.
    is_wanted: bool
    #: Mapped hash; `REMOVED` of what is to be shown no more; empty: nothing is said of it.
    mapped_hash: str
    #: To compare with; None: nothing can be compared.
    work: Work | None = None

    def write(self, parents: Mapping[EntityKey, Link] | None = None) -> Write:
        """`work` must be there."""
        assert self.work is not None  # noqa: S101 - callers ask first
        return (self.work.with_parents(parents) if parents else self.work).as_write("verify")


NOTHING = Expected(is_wanted=False, mapped_hash="")


def expected(record: KnownRecord, mapping: FieldMapping) -> Expected:
    """No I/O."""
    if record.is_broken:
        return NOTHING if record.is_gone else Expected(is_wanted=True, mapped_hash=UNMAPPED + record.content_hash)
    if record.is_gone and (record.link is None or record.link.was_removed):
        return NOTHING
    work = Work(entity=record.entity, event=_event(record), link=record.link)
    plan = pass_through([work], first_steps(mapping))
    if plan.works:
        (ready,) = plan.works
        mapped_hash = REMOVED if record.is_gone else ready.mapped_hash
        return Expected(is_wanted=not record.is_gone, mapped_hash=mapped_hash, work=ready)
    (ended,) = plan.ended
    is_refused = ended.state is EventState.DEAD_LETTERED
    return Expected(is_wanted=True, mapped_hash=f"{UNMAPPED}{ended.reason}") if is_refused else NOTHING


def _event(record: KnownRecord) -> Event:
    """As if the source had just shown it."""
    return Event(
        event_id=0,
        entity=record.entity,
        partition=0,
        action=Action.DELETE if record.is_gone else Action.UPSERT,
        version=record.version,
        event_version=EVENT_VERSION,
        payload=record.body,
        origin=Origin.RECONCILIATION,
        run_id="",
        trace_id="",
        state=EventState.PENDING,
        attempts=0,
        detected_at=record.updated_at,
        occurred_at=record.updated_at,
    )
