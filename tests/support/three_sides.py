"""Source, mirror and destination of one tree, each to be changed by itself, and the workers between them, on twins."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from hypothesis import note

from common.domain.canonical import Canonical
from common.domain.drift import REPAIRS, AtDestination, Repair, Standing, drift_of
from common.domain.entities import EntityKey
from common.domain.events import OPEN_STATES, Action, Event
from common.domain.fuse import Fuse
from common.domain.groups import Group, GroupMember
from common.domain.layers import Layer
from common.domain.people import Person
from common.domain.resources import GROUP_MEMBERS, GROUPS, USERS
from common.domain.runs import RunState
from common.domain.writes import Answer, Matched, NeedsReview, Refusal, Refused, Write
from common.storage.memory.delivery import MemoryDeliveryStore
from poller import runs
from poller.detectors.full import Full
from support.delivering import PretendedDestination, ProcessorRig
from support.forest import NODES, ORDER, Forest, body
from support.recording import KilledError, Killing, PollerRig

Node = tuple[str, str]
SHAPES: Mapping[str, type[Canonical]] = {USERS: Person, GROUPS: Group, GROUP_MEMBERS: GroupMember}
#: What staff make of a record of ours.
BY_STAFF: Mapping[str, Canonical] = {
    USERS: Person(first_name="By", last_name="Staff"),
    GROUPS: Group(name="by staff"),
    GROUP_MEMBERS: GroupMember(group_id="by", user_id="staff"),
}
#: Slices of one run, and of one delivery to its end, under faults.
SLICES = 60
#: What a member hangs on.
PARENTS = (USERS, GROUPS)
#: Between two rounds; more than between two readings that count as evidence, and than any backoff or open breaker.
APART_SECONDS = 1800.0


def key(node: Node) -> EntityKey:
    return EntityKey(customer_id="acme", resource=node[0], source_id=node[1])


def node_of(entity: EntityKey) -> Node:
    return entity.resource, entity.source_id


class Staffed(PretendedDestination):
    """Finds what carries our reference, as CRM+ does: a lost link makes no double."""

    def match(self, writes: Sequence[Write]) -> Mapping[EntityKey, Matched | NeedsReview]:
        return {
            write.entity: Matched(destination_id=f"d{write.entity.source_id}", details={}, rung="reference")
            for write in writes
            if self.contacts.get(write.entity)
        }

    def _apply(self, write: Write) -> Answer:
        """A member without its person and its group is refused, as anywhere."""
        if write.entity.resource == GROUP_MEMBERS and not write.is_removal and len(write.parents) < len(PARENTS):
            return Refused(refusal=Refusal(reason="http_422", message="it hangs on nothing"))
        return super()._apply(write)

    def shows(self, entity: EntityKey) -> Canonical | None:
        own = self.contacts.get(entity, [])
        return own[0] if own and entity not in self.archived else None


class AnyOrder:
    """Reads slices with the entities in another order each time; the events of one entity stay in theirs."""

    def __init__(self, store: MemoryDeliveryStore, chance: random.Random) -> None:
        self._store, self._chance = store, chance

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def read_slice(self, customer_id: str, partition: int, now: datetime, limit: int) -> Sequence[Event]:
        events = self._store.read_slice(customer_id, partition, now, 10**6)
        order = sorted({event.entity for event in events})
        self._chance.shuffle(order)
        return sorted(events, key=lambda event: (order.index(event.entity), event.version))[:limit]


@dataclass(frozen=True)
class Change:
    """Of one node on one side."""

    side: str
    what: str
    node: Node

    def __str__(self) -> str:
        return f"{self.side:<12}{self.what:<10}{'/'.join(self.node)}"


@dataclass
class Sides:
    """The three sides, and the workers between them."""

    fuse: Fuse
    chance: random.Random
    source: Forest = field(default_factory=Forest)

    def __post_init__(self) -> None:
        self.destination = Staffed(size=3)
        self.poller = PollerRig(self.source, full=Full(), fuse=self.fuse)
        self.tables, self.clock = self.poller.tables, self.poller.clock
        self.store = MemoryDeliveryStore(self.tables)
        self.processor = ProcessorRig(
            self.destination, store=AnyOrder(self.store, self.chance), customers=self.poller.customers,
            clock=self.clock, slice_events=4,
        )  # fmt: skip
        self.editions = 0

    @property
    def customer(self) -> Any:
        return self.poller.customers.get("acme")

    # what changes

    def change(self, change: Change) -> None:
        getattr(self, f"_{change.side}_{change.what}")(change.node)

    def _source_edited(self, node: Node) -> None:
        self.editions += 1
        self.source.grow(node, self.editions)

    def _source_deleted(self, node: Node) -> None:
        self.source.fell(node)

    def _source_hidden(self, node: Node) -> None:
        """Its list leaves it out for one round."""
        self.source.hidden.add(node)

    def _mirror_outdated(self, node: Node) -> None:
        """As if a page that was read had shown something else, and its event had been lost on the way."""
        entity = key(node)
        with self.tables.transaction() as rows:
            known = rows.mirror.get(entity)
            if known is not None and known.deleted_at is None:
                rows.mirror[entity] = replace(known, content_hash="other")

    def _mirror_polled(self, _node: Node) -> None:
        """The mirror is ahead of the destination by all that has changed so far."""
        self.read(Layer.POLL)

    def _destination_edited(self, node: Node) -> None:
        if self.destination.contacts.get(key(node)):
            self.destination.contacts[key(node)] = [BY_STAFF[node[0]]]

    def _destination_deleted(self, node: Node) -> None:
        self.destination.contacts.pop(key(node), None)

    def _destination_unlinked(self, node: Node) -> None:
        with self.tables.transaction() as rows:
            rows.links.pop(key(node), None)

    # what brings them together

    def round(self, kills: Sequence[int] = (), failures: Sequence[Any] = ()) -> None:
        self.clock.advance(APART_SECONDS)
        kills = list(kills)
        self.destination.failures = list(failures)
        for layer in (Layer.POLL, Layer.FULL):
            self.read(layer, kills)
        self.apply(kills)
        self.mend()
        self.apply(kills)
        self.destination.failures = []
        self.source.hidden.clear()

    def read(self, layer: Layer, kills: list[int] | None = None) -> None:
        for resource in ORDER:
            for _ in range(SLICES):
                state = self._read_on(resource, layer, kills or [])
                if state in (RunState.COMPLETED, RunState.UNSEALED, RunState.FAILED):
                    break
                self.clock.advance(60)

    def _read_on(self, resource: str, layer: Layer, kills: list[int]) -> RunState | None:
        parts = self.poller.parts
        if kills:
            parts = replace(parts, store=Killing(parts.store, at=kills.pop(), after=True))
        with suppress(KilledError):
            return runs.run(parts, self.customer, resource, layer)
        return None

    def apply(self, kills: list[int]) -> None:
        whole = self.processor.parts
        while kills:
            self.processor.parts = replace(whole, store=Killing(whole.store, at=kills.pop(), after=True))
            with suppress(KilledError):
                self.processor.deliver()
            self.clock.advance(60)
        self.processor.parts = whole
        self.processor.settle()

    def mend(self) -> None:
        """As `fleet verify --repair`: what is not as it should be at the destination gets one more event."""
        lost = [entity for entity in self.tables.mirror if REPAIRS.get(drift_of(self.standing(entity))) is Repair.EVENT]
        self.store.apply_again(sorted(lost), self.clock.now())

    def standing(self, entity: EntityKey) -> Standing:
        known, link = self.tables.mirror[entity], self.tables.links.get(entity)
        is_gone = known.deleted_at is not None
        # A check looks for it by its link alone.
        shown = None if link is None else self.destination.shows(entity)
        wanted = None if is_gone else SHAPES[entity.resource].from_body(known.body)
        events = sorted((e for e in self.tables.events if e.entity == entity), key=lambda event: event.version)
        at = AtDestination.SAME if shown == wanted else AtDestination.ABSENT if shown is None else AtDestination.OTHER
        return Standing(
            destination=at, is_open=any(event.state in OPEN_STATES for event in events), is_gone=is_gone,
            last_state=events[-1].state if events else None, is_linked=link is not None, version=known.version,
            applied_version=link.applied_version if link else 0, is_applied_as_mapped=bool(link and link.applied_hash),
        )  # fmt: skip

    # what must be

    @property
    def held(self) -> set[Node]:
        return {node_of(entity) for entity, row in self.tables.rows.deletions.items() if row.state == "held"}

    @property
    def without_evidence(self) -> set[Node]:
        """An empty list says nothing: that is what an account looks like whose rights were taken away."""
        listed = {resource for resource, _ in self.source.nodes}
        return {node for node in NODES if node[0] not in listed}

    @property
    def unlinked(self) -> set[Node]:
        """Gone at the source after its link was lost: `unlinked_at_destination`, which is for a person to see to."""
        gone = {entity for entity, known in self.tables.mirror.items() if known.deleted_at is not None}
        return {node_of(entity) for entity in gone - self.tables.links.keys()}

    def wanted(self) -> dict[Node, Canonical]:
        return {node: SHAPES[node[0]].from_body(body(node, edition)) for node, edition in self.source.nodes.items()}

    def shown(self, nodes: Collection[Node] = NODES) -> dict[Node, Canonical]:
        found = {node: self.destination.shows(key(node)) for node in nodes}
        return {node: record for node, record in found.items() if record is not None}

    def writes(self) -> int:
        return len(self.destination.landed)

    def deletions(self) -> list[Event]:
        return [event for event in self.tables.events if event.action == Action.DELETE]

    def check_deletions(self, before: int) -> None:
        """Those since then: of nothing that the source has, and no more of a resource than the fuse lets."""
        found = self.deletions()[before:]
        assert not {node_of(e.entity) for e in found} & self.source.nodes.keys(), "the source has what was deleted"
        for resource in ORDER:
            went = {event.entity for event in found if event.entity.resource == resource}
            assert len(went) <= self.fuse.records, f"{len(went)} {resource} are gone, the fuse lets {self.fuse.records}"

    def tell(self) -> None:
        """The tree, for whoever reads a counterexample."""
        for node in NODES:
            known = self.tables.mirror.get(key(node))
            source = self.source.nodes.get(node, "-")
            mirror = "-" if known is None or known.deleted_at else known.content_hash[:6]
            indent = "    " if node[0] == GROUP_MEMBERS else "  "
            shown = self.destination.shows(key(node))
            note(f"{indent}{'/'.join(node):<22} source {source!s:<4} mirror {mirror:<8} destination {short(shown)}")


def short(shown: Canonical | None) -> str:
    """What tells one edition from another."""
    if shown is None:
        return "-"
    return next(str(value) for name, value in shown.to_body().items() if name in ("last_name", "name", "user_id"))
