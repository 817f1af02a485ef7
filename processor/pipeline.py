"""From a slice's events to the writes they ask for. No I/O.

The newest event of an entity stands for the older ones (state, not story), unless one is marked "every one counts":
then the entity's events go one by one, in order. While the destination holds an update, newer ones wait for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from common.domain.canonical import Canonical
from common.domain.entities import EntityKey
from common.domain.errors import PermanentError
from common.domain.events import Event, EventState
from common.domain.identities import EmailUse
from common.domain.people import Person
from common.domain.writes import EventOutcome, Intent, Link, Operation, Refusal, Write, WriteState


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a slice has to do for one entity."""

    entity: EntityKey
    #: The event to apply.
    event: Event
    #: Older ones whose submission the destination has accepted, and not shown yet.
    submitted: tuple[Event, ...] = ()
    link: Link | None = None
    unresolved: Intent | None = None
    #: Set by the handler's step.
    desired: Canonical | None = None
    #: The source has it no more.
    is_removal: bool = False
    #: Entities that must be at the destination before this one can be.
    needs: tuple[EntityKey, ...] = ()
    mapped_hash: str = ""
    #: A person has decided that it is nobody whom the destination has already.
    as_new: bool = False
    #: Links of `needs`, as far as there are any.
    parents: Mapping[EntityKey, Link] = field(default_factory=dict)

    def linked(self, link: Link) -> Work:
        return replace(self, link=link, unresolved=None)

    def with_parents(self, links: Mapping[EntityKey, Link]) -> Work:
        return replace(self, parents={entity: links[entity] for entity in self.needs if entity in links})

    @property
    def email_uses(self) -> tuple[EmailUse, ...]:
        """Once it is there as desired. A blank erases nothing there, so it leaves no address; who is gone does."""
        person = self.desired
        if not isinstance(person, Person) or not (person.email or self.is_removal):
            return ()
        return (EmailUse(entity=self.entity, email="" if self.is_removal else person.email),)

    def as_write(self, write_id: str = "") -> Write:
        """Without an id it is for asking only. The handler's step must have been passed."""
        assert self.desired is not None  # noqa: S101 - set by the handler's step
        return Write(
            write_id=write_id,
            entity=self.entity,
            event_id=self.event.event_id,
            version=self.event.version,
            desired=self.desired,
            mapped_hash=self.mapped_hash,
            link=self.link,
            parents=self.parents,
            is_removal=self.is_removal,
            as_new=self.as_new,
        )


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is left to write, and what has ended already."""

    works: tuple[Work, ...]
    ended: tuple[EventOutcome, ...]
    #: What the ledger learned on the way.
    links: tuple[Link, ...] = ()
    #: Addresses that are free: their people are gone, and never came.
    emails: tuple[EmailUse, ...] = ()


def coalesce(events: Sequence[Event], links: Mapping[EntityKey, Link], unresolved: Mapping[EntityKey, Intent]) -> Plan:
    """One piece of work per entity; the older events it stands for end as superseded."""
    works: list[Work] = []
    ended: list[EventOutcome] = []
    for entity, own in _by_entity(events).items():
        chosen = _awaited(own, unresolved.get(entity)) or (own[-1] if all(event.coalesce for event in own) else own[0])
        older = [event for event in own if event.version < chosen.version]
        submitted = tuple(event for event in older if event.state is EventState.SUBMITTED)
        ended += [_superseded(event, chosen) for event in older if event.state is EventState.PENDING]
        works.append(
            Work(
                entity=entity,
                event=_with_attempts(chosen, own),
                submitted=submitted,
                link=links.get(entity),
                unresolved=unresolved.get(entity),
            )
        )
    return Plan(works=tuple(works), ended=tuple(ended))


def _awaited(own: Sequence[Event], intent: Intent | None) -> Event | None:
    """An update that the destination holds: only by its own values can be told whether it has come through."""
    if intent is None or intent.state is not WriteState.SUBMITTED or intent.operation is Operation.CREATE:
        return None
    return next((event for event in own if event.event_id == intent.event_id), None)


def _by_entity(events: Iterable[Event]) -> dict[EntityKey, list[Event]]:
    groups: dict[EntityKey, list[Event]] = defaultdict(list)
    for event in events:
        groups[event.entity].append(event)
    return {entity: sorted(own, key=lambda event: event.version) for entity, own in groups.items()}


def _with_attempts(chosen: Event, own: Sequence[Event]) -> Event:
    """A new version does not wipe out that the entity has been failing."""
    most = {name: max(getattr(event, name) for event in own) for name in ("attempts", "failures", "defects")}
    return replace(chosen, **most)


def _superseded(event: Event, by: Event) -> EventOutcome:
    return EventOutcome(
        event_id=event.event_id, state=EventState.SUPERSEDED, reason=f"by version {by.version} (event {by.event_id})"
    )


def dead_lettered(work: Work, error: PermanentError, message: str) -> EventOutcome:
    """Its end, before anything of it was sent."""
    refusal = Refusal(
        reason=error.reason, message=message, field=error.field, status=error.status, detail=error.detail
    )  # fmt: skip
    return EventOutcome(
        event_id=work.event.event_id, state=EventState.DEAD_LETTERED, reason=error.reason, attempts=1, refusal=refusal
    )
