"""What the destination holds of some records now: by their ids where the connector lists them, else by a look."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from common.domain.destinations import Destination
from common.domain.entities import EntityKey
from common.domain.listings import Lists
from common.domain.writes import Found, Write

#: Everything, of a look that is told since when.
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


def read_current(destination: Destination, writes: Sequence[Write]) -> Mapping[EntityKey, Found]:
    """What is not there is missing. Raises as `Destination.look`."""
    found: dict[EntityKey, Found] = {}
    for resource, own in _by_resource(writes).items():
        linked = [write for write in own if write.link is not None]
        if isinstance(destination, Lists) and linked and destination.listing(resource) is not None:
            found |= _by_ids(destination, resource, linked)
            own = [write for write in own if write.link is None]  # noqa: PLW2901 - the rest of them
        if own:
            found |= destination.look(own, ALWAYS)
    return found


def _by_ids(lists: Lists, resource: str, writes: Sequence[Write]) -> Iterator[tuple[EntityKey, Found]]:
    ids = {write.entity: write.link.destination_id for write in writes if write.link is not None}
    rows = lists.read_back(resource, sorted(set(ids.values())))
    return ((entity, rows[destination_id]) for entity, destination_id in ids.items() if destination_id in rows)


def unlike(destination: Destination, write: Write, found: Found) -> Mapping[str, Any]:
    """What is there in the fields that are not as the write says; a field without a name: that it differs."""
    if isinstance(destination, Lists):
        return destination.disagreements(write, found)
    return {"": None} if destination.differs(write, found) else {}


def _by_resource(writes: Sequence[Write]) -> Mapping[str, list[Write]]:
    groups: dict[str, list[Write]] = defaultdict(list)
    for write in writes:
        groups[write.entity.resource].append(write)
    return groups
