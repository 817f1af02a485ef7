"""What happens next with an entity, and when: the first that holds it up is the first that is said. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from common.cli.story import moment
from common.domain.breakers import Breaker, BreakerState
from common.domain.customers import Customer, Mode, System
from common.domain.writes import UNRESOLVED_STATES
from common.storage.stories import Row, Story
from common.storage.waiting import NEWER
from processor.verdicts import TRANSIENT_ATTEMPTS


@dataclass(frozen=True, kw_only=True)
class Around:
    """What holds for all of the customer's entities."""

    customer: Customer
    breakers: Mapping[System, Breaker]
    now: datetime


def next_of(story: Story, around: Around) -> list[str]:
    """Lines; never empty."""
    is_open = [row for row in story.events if row["state"] in ("pending", "submitted")]
    asked = list(_asked(story))
    if not is_open:
        return [*asked, *([] if asked else ["nothing is pending: the next change at the source makes an event"])]
    own = [line for row in is_open for line in _event(story, row, around)]
    return [*_customer(around), *asked, *own]


def _asked(story: Story) -> Iterator[str]:
    """What a person has to do."""
    customer_id, record = story.entity.customer_id, f"{story.entity.resource}/{story.entity.source_id}"
    for row in story.letters:
        if row["state"] == "open":
            letter = row["dead_letter_id"]
            yield f"dead letter {letter} waits for a person: see `fleet dlq show {customer_id} {letter}`"
    if story.review is not None and story.review["state"] == "open":
        yield f"a person decides who it is: `fleet matches show {customer_id} {record}`"
    if story.deletion is not None and story.deletion["state"] == "held":
        yield f"the fuse holds its deletion until a person decides: `fleet deletions list {customer_id}`"


def _customer(around: Around) -> Iterator[str]:
    customer, broken = around.customer, around.breakers.get(System.DESTINATION)
    if not customer.is_active:
        ends = f" until {moment(customer.paused_until)}" if customer.paused_until else ""
        yield f"customer is {customer.status}{ends}: {customer.status_reason or 'no reason was given'}"
    if broken is not None and broken.state is BreakerState.BLOCKED:
        yield f"the destination is blocked until its token is verified: {broken.reason}"
    elif broken is not None and broken.state is not BreakerState.CLOSED:
        yield f"the destination is in trouble and is tried again at {moment(broken.probe_at)}: {broken.reason}"
    if customer.parked_until is not None and customer.is_parked(around.now):
        yield f"customer is parked until {moment(customer.parked_until)}: {customer.parked_reason or 'a limit'}"
    if customer.mode is Mode.NIGHTLY:
        yield f"customer is nightly: events are applied in a night; see `fleet nights list {customer.customer_id}`"


def _event(story: Story, row: Row, around: Around) -> Iterator[str]:
    named, why = f"version {row['version']}", f": {row['reason']}" if row["reason"] else ""
    for write in story.writes:
        if write["event_id"] == row["event_id"] and write["state"] in UNRESOLVED_STATES:
            later = moment(write["settles_at"])
            yield f"{named}: its {write['operation']} is {write['state']}, looked for from {later} on"
    older = [other["version"] for other in story.events if _holds_up(other, row, around.now)]
    if older:
        yield f"{named} waits for version {older[0]}"
    elif row["retry_at"] <= around.now:
        yield f"{named} is due: the next slice of its customer takes it"
    elif row["waits_for"] == NEWER:
        yield f"{named} waits as it should, until {moment(row['retry_at'])} or a newer version{why}"
    elif row["waits_for"]:
        later = moment(row["retry_at"])
        yield f"{named}: parent {row['waits_for']} is not applied yet; asked again when it is, or at {later}{why}"
    elif row["failures"]:
        tries = f"{row['attempts']} of {TRANSIENT_ATTEMPTS} tries counted, {row['failures']} failed requests"
        yield f"{named} is tried again at {moment(row['retry_at'])} ({tries}){why}"
    else:
        yield f"{named} waits until {moment(row['retry_at'])}{why}"


def _holds_up(other: Row, row: Row, now: datetime) -> bool:
    is_open = other["state"] in ("pending", "submitted")
    return is_open and other["version"] < row["version"] and other["retry_at"] > now and other["waits_for"] != NEWER
