"""The loop: one pass of a detector over (customer, resource), in slices.

Each page is one transaction (mirror, events, progress); after its commit one delivery is published. A run that is out
of budget, told to wait, or longer than its slice saves its progress and ends; the sweep has it continued at the due
time. No step sleeps, and a kill between any two of them loses nothing: the next run goes on from the progress that was
committed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from common.domain.clock import Clock
from common.domain.customers import Customer
from common.domain.errors import CustomerBlocked, Interrupted, RateLimited, SyncError, TransientError
from common.domain.events import Origin
from common.domain.limits import Share
from common.domain.records import Record
from common.domain.retry import RetryPolicy
from common.domain.runs import RunState
from common.domain.sources import Page, Source
from common.domain.stores import CustomerStore, DetectionStore, Locks, PageToSave, RunStart
from common.metrics.catalogue import Metrics
from poller.detectors.incremental import Incremental

log = structlog.get_logger(__name__)

#: Requests that may fail in a row before a run gives up its progress; with the backoff below that is about ten minutes.
FAILURES_BEFORE_GIVING_UP = 8
BACKOFF = RetryPolicy(base_seconds=1.0, cap_seconds=300.0)
#: Longest error text kept in a report, in characters.
ERROR_CHARACTERS = 500


@dataclass(frozen=True, kw_only=True)
class RunParts:
    """What the loop works with."""

    store: DetectionStore
    customers: CustomerStore
    locks: Locks
    clock: Clock
    metrics: Metrics
    detector: Incremental
    new_id: Callable[[], str]
    random_unit: Callable[[], float]
    open_source: Callable[[Customer, Share], Source]
    #: Called after a page with events is committed.
    publish: Callable[[Customer], None]
    slice_seconds: float


def run(parts: RunParts, customer: Customer, resource: str) -> RunState | None:
    """Make or continue a run. None if another worker is at it, or it may not go on yet."""
    with parts.locks.try_hold(f"run/{customer.customer_id}/{resource}") as held:
        if held is None:
            log.info("run is under way elsewhere", action="run.busy")
            return None
        start = parts.store.start_run(
            customer_id=customer.customer_id,
            resource=resource,
            run_id=parts.new_id(),
            trace_id=parts.new_id(),
            now=parts.clock.now(),
        )
        if start.waits_until is not None:
            return None
        state = _Run(parts, customer, resource, start).make()
        parts.metrics.runs.labels(resource, state).inc()
        return state


class _Run:
    """One slice of a run."""

    def __init__(self, parts: RunParts, customer: Customer, resource: str, start: RunStart) -> None:
        self._parts = parts
        self._customer = customer
        self._resource = resource
        self._checkpoint = start.checkpoint
        self._progress = start.progress
        self._deadline = parts.clock.monotonic() + parts.slice_seconds

    def make(self) -> RunState:
        """Read pages until the end, the slice's end, or an error; every way out is recorded, unless another owns it."""
        try:
            return self._read_or_record()
        except Interrupted as interruption:
            log.warning("run stopped", action="run.fenced", why=str(interruption))
            return RunState.CONTINUED

    def _read_or_record(self) -> RunState:
        try:
            return self._read_on(self._open())
        except Interrupted:
            raise
        except RateLimited as limit:
            return self._continue_at(limit.until, str(limit))
        except TransientError as error:
            return self._after_failure(error)
        except SyncError as error:
            return self._fail(error)
        except Exception as defect:
            self._finish(RunState.FAILED, None, f"defect: {type(defect).__name__}")
            raise

    def _open(self) -> Source:
        """Raises CustomerBlocked if the customer's token or settings are missing."""
        share = Share.BACKFILL if self._progress.origin == Origin.BACKFILL else Share.LIVE
        return self._parts.open_source(self._customer, share)

    def _read_on(self, source: Source) -> RunState:
        while True:
            page = source.page(self._parts.detector.query(self._resource, self._checkpoint, self._progress))
            self._save(page)
            if self._parts.detector.needs_another_page(self._progress, page):
                if self._parts.clock.monotonic() > self._deadline:
                    return self._continue_at(self._parts.clock.now(), "slice ended")
                continue
            state = self._end_of_pass()
            if state is not None:
                return state

    def _save(self, page: Page) -> None:
        now = self._parts.clock.now()
        scanned, self._progress = self._progress, self._parts.detector.after_page(self._progress, page, now)
        counts = self._parts.store.save_page(
            PageToSave(
                customer_id=self._customer.customer_id,
                resource=self._resource,
                run_id=scanned.run_id,
                scan_id=scanned.scan_id,
                origin=scanned.origin,
                trace_id=scanned.trace_id,
                records=_not_from_the_future(page, now),
                broken=page.broken,
                requests=1,
                now=now,
            ),
            self._progress,
        )
        log.info("page saved", action="run.page", run_id=scanned.run_id, read=counts.read, detected=counts.detected)
        if counts.detected:
            self._parts.metrics.events_detected.labels(self._customer.customer_id, self._resource).inc(counts.detected)
            self._parts.publish(self._customer)

    def _end_of_pass(self) -> RunState | None:
        """Seal the scan and end the run, or go on with another pass."""
        detector, progress = self._parts.detector, self._progress
        seen = self._parts.store.seen_in_scan(self._customer.customer_id, self._resource, progress.scan_id)
        if detector.is_sealed(progress, seen):
            return self._finish(RunState.COMPLETED, detector.position(progress), "")
        log.info(
            "scan not sealed", action="run.unsealed", seen=seen, total=progress.total, scan_pass=progress.scan_pass
        )
        again = detector.next_pass(progress)
        if again is None:
            return self._finish(RunState.UNSEALED, None, "the records moved, or were hidden, in every pass")
        self._progress = again
        return None

    def _after_failure(self, error: TransientError) -> RunState:
        failures = self._progress.failures + 1
        if failures >= FAILURES_BEFORE_GIVING_UP:
            return self._fail(error)
        self._progress = replace(self._progress, failures=failures)
        delay = BACKOFF.delay_seconds(failures, self._parts.random_unit())
        return self._continue_at(self._parts.clock.now() + timedelta(seconds=delay), str(error))

    def _fail(self, error: SyncError) -> RunState:
        log.error("run failed", action="run.failed", error=str(error))
        if isinstance(error, CustomerBlocked):
            self._parts.customers.pause(self._customer.customer_id, str(error))
        return self._finish(RunState.FAILED, None, str(error))

    def _continue_at(self, moment: datetime, why: str) -> RunState:
        log.info("run continues later", action="run.continued", at=moment.isoformat(), why=why)
        self._parts.store.save_progress(
            self._customer.customer_id,
            self._resource,
            self._progress,
            continue_at=moment,
            why=f"goes on at {moment:%H:%M:%S} UTC: {why}"[:ERROR_CHARACTERS],
        )
        return RunState.CONTINUED

    def _finish(self, state: RunState, position: datetime | None, error: str) -> RunState:
        self._parts.store.finish_run(
            self._customer.customer_id,
            self._resource,
            self._progress.run_id,
            state=state,
            position=position,
            error=error[:ERROR_CHARACTERS],
            now=self._parts.clock.now(),
        )
        log.info("run ended", action="run.ended", run_id=self._progress.run_id, state=state)
        return state


def _not_from_the_future(page: Page, now: datetime) -> list[Record]:
    """A stamp that is yet to come would make every later change of its record look stale."""
    latest = page.answered_at or now
    return [replace(record, updated_at=min(record.updated_at, latest)) for record in page.records]
