"""What a run works with."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from common.domain.clock import Clock
from common.domain.customers import Customer
from common.domain.fuse import Fuse
from common.domain.limits import Share
from common.domain.nights import uncounted
from common.domain.passages import Breakers
from common.domain.sizes import Sizes
from common.domain.sources import Source
from common.domain.stopping import never
from common.domain.stores import CustomerStore, DetectionStore, Locks
from common.metrics.catalogue import Metrics
from poller.backpressure import Backpressure
from poller.detectors.backfill import Backfill
from poller.detectors.cursor import Cursor
from poller.detectors.full import Full
from poller.detectors.incremental import Incremental
from poller.detectors.walk import Walk
from poller.failing import FailureLimit
from poller.unreadable import LetterLimit


@dataclass(frozen=True, kw_only=True)
class RunParts:
    """What the loop works with."""

    store: DetectionStore
    customers: CustomerStore
    locks: Locks
    clock: Clock
    metrics: Metrics
    detector: Incremental
    walk: Walk
    full: Full = field(default_factory=Full)
    backfill: Backfill = field(default_factory=Backfill)
    cursor: Cursor = field(default_factory=Cursor)
    #: Of customers that have none of their own.
    fuse: Fuse = field(default_factory=Fuse)
    new_id: Callable[[], str]
    random_unit: Callable[[], float]
    open_source: Callable[[Customer, Share], Source]
    #: Called after a page with events is committed.
    publish: Callable[[Customer], None]
    #: Of a customer: all that is read of it.
    resources: Callable[[Customer], Collection[str]]
    sizes: Sizes
    slice_seconds: float
    breakers: Breakers
    backpressure: Backpressure
    failure_limit: FailureLimit
    letter_limit: LetterLimit
    #: Called when a budget or a 429 puts a run off.
    note_pause: Callable[[Customer], None] = uncounted
    #: What our own storage raises when it is away: neither an error of the source's nor a defect.
    outages: tuple[type[Exception], ...] = ()
    #: Whether the worker was asked to stop: what is left goes to another.
    is_stopping: Callable[[], bool] = never
