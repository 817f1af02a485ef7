"""The loop: one pass of a detector over (customer, resource), in slices.

Each page is one transaction (mirror, events, progress); after its commit one delivery is published. A run that is out
of budget, told to wait, held back by its backlog, or longer than its slice saves its progress and ends; the sweep has
it continued at the due time. So does one whose source is in trouble: the breaker says when, for as long as it takes,
and no outage makes a run fail. One whose token is rejected keeps its progress until the token is verified. What makes a
run fail are answers that are no pages, several in a row, and defects.

No step sleeps, and a kill between any two of them loses nothing: the next run goes on from the progress that was
committed.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from common.domain.checkpoints import Progress
from common.domain.completions import ACTION as BACKFILLED
from common.domain.customers import Customer, System
from common.domain.errors import (
    CredentialsBlocked,
    CustomerBlocked,
    Interrupted,
    RateLimited,
    SyncError,
    SystemUnavailable,
    TransientError,
    UnknownOutcome,
)
from common.domain.fuse import Fuse, fuse_of
from common.domain.layers import Layer
from common.domain.limits import share_of
from common.domain.nights import is_rate_pause
from common.domain.passages import Passage, passing
from common.domain.records import Record
from common.domain.retry import RetryPolicy
from common.domain.runs import RunCounts, RunState
from common.domain.sources import WHOLE, Page, ResourceTerms, Source, Style
from common.domain.stores import PageToSave, RunStart, ScopeEnd
from common.domain.windows import Windows
from poller.backfilling import backfill
from poller.following import follow
from poller.hours import check_hours
from poller.run_parts import RunParts
from poller.scanning import scan_all
from poller.unfinished import told_of_unfinished
from poller.walking import walk

log = structlog.get_logger(__name__)

#: Answers in a row that are no pages before a run fails and gives up its progress, which may be what is wrong; with the
#: backoff below that is about two minutes.
FAILURES_BEFORE_GIVING_UP = 8
BACKOFF = RetryPolicy(base_seconds=1.0, cap_seconds=300.0)
#: Longest error text kept in a report, in characters.
ERROR_CHARACTERS = 500


def run(
    parts: RunParts, customer: Customer, resource: str, layer: Layer = Layer.POLL, *, only_if_due: bool = False
) -> RunState | None:
    """Make or continue a run, one at a time over all layers. None if another is at it, it must wait, or is over."""
    with parts.locks.try_hold(f"run/{customer.customer_id}/{resource}") as held:
        if held is None:
            log.info("run is under way elsewhere", action="run.busy")
            return None
        start = parts.store.start_run(
            customer_id=customer.customer_id,
            resource=resource,
            layer=layer,
            only_if_due=only_if_due,
            run_id=parts.new_id(),
            trace_id=parts.new_id(),
            now=parts.clock.now(),
        )
        if start.waits_until is not None or start.is_over:
            return None
        state = _Run(parts, customer, resource, start).make()
        parts.metrics.runs.labels(resource, state).inc()
        return state


class _Run:
    """One slice of a run."""

    def __init__(self, parts: RunParts, customer: Customer, resource: str, start: RunStart) -> None:
        self.parts = parts
        self.customer = customer
        self.resource = resource
        self._checkpoint = start.progress.start(start.checkpoint)
        #: Nothing of the resource was ever read to its end.
        self._is_first = self._checkpoint.position is None and not start.progress.whole
        self.progress = start.progress
        self._deadline = parts.clock.monotonic() + parts.slice_seconds
        self.backlog = parts.backpressure.watch(customer.customer_id)
        #: Through the source's breaker; None until it let us pass.
        self._passage: Passage | None = None

    @property
    def is_over(self) -> bool:
        """The slice."""
        return self.parts.is_stopping() or self.parts.clock.monotonic() > self._deadline

    def check(self, origin: str) -> None:
        """Before a page: whether one may be read now. Raises BacklogFull, or OutsideHours."""
        check_hours(self.customer, origin, self.parts.clock.now())
        self.backlog.check(origin)

    def make(self) -> RunState:
        """Read pages until the end, the slice's end, or an error; every way out is recorded, unless another owns it."""
        try:
            return self._read_or_record()
        except Interrupted as interruption:
            log.warning("run stopped", action="run.fenced", why=str(interruption))
            return RunState.CONTINUED

    def _read_or_record(self) -> RunState:
        try:
            with passing(
                self.parts.breakers, self.parts.clock, self.customer.customer_id, System.SOURCE
            ) as self._passage:
                return self._read_on(self._open(), self._passage)
        except Interrupted:
            raise
        except CredentialsBlocked as block:
            return self._wait_for_credentials(block)
        except RateLimited as limit:
            if is_rate_pause(limit):
                self.parts.note_pause(self.customer)
            return self.continue_at(limit.until, str(limit))
        except (SystemUnavailable, UnknownOutcome) as outage:
            return self._after_outage(outage)
        except TransientError as error:
            return self._after_failure(error)
        except self.parts.outages:
            raise  # our own database is away: the progress stays as it was saved, and the sweep comes back to it
        except SyncError as error:
            return self._fail(error)
        except Exception as defect:
            self.finish(RunState.FAILED, None, f"defect: {type(defect).__name__}")
            raise

    def _open(self) -> Source:
        """Raises CustomerBlocked if the customer's token or settings are missing."""
        return self.parts.open_source(self.customer, share_of(self.progress.origin))

    def _read_on(self, source: Source, passage: Passage) -> RunState:
        terms = source.terms[self.resource]
        if terms.style is Style.SCOPED:
            return walk(self, source, passage)
        is_full_layer = self.progress.whole and self.progress.cursor is None
        if terms.style is Style.CURSOR and not is_full_layer:
            return follow(self, self._checkpoint, source, passage)
        if self.progress.whole:
            return scan_all(self, source, passage)
        if terms.by_created and self._is_first:
            return backfill(self, source, passage)
        return self._scan(source, passage, terms)

    def _scan(self, source: Source, passage: Passage, terms: ResourceTerms) -> RunState:
        while True:
            self.check(self.progress.origin)
            query = self.parts.detector.query(self.resource, self._checkpoint, self.progress)
            page = passage.watch(partial(source.page, query))
            now, scanned = self.parts.clock.now(), self.progress
            after = self.parts.detector.after_page(scanned, page, now, is_bounded=terms.bounded)
            self.progress = replace(after, outages=0)
            self.save(page, scanned, origin=scanned.origin)
            if self.parts.detector.needs_another_page(self.progress, page):
                if self.is_over:
                    return self.continue_at(self.parts.clock.now(), "slice ended")
                continue
            state = self._end_of_pass(page)
            if state is not None:
                return state

    def save(
        self, page: Page, scanned: Progress, *, origin: str, scope: str = WHOLE, end: ScopeEnd | None = None
    ) -> None:
        """`scanned`: the progress that the page was asked for with; `end`: as of `DetectionStore.save_page`."""
        now, is_of_changes = self.parts.clock.now(), self.parts.cursor.is_of_changes(scanned)
        counts = self.parts.store.save_page(
            PageToSave(
                customer_id=self.customer.customer_id,
                resource=self.resource,
                run_id=scanned.run_id,
                scan_id=scanned.scan_id,
                origin=origin,
                trace_id=scanned.trace_id,
                records=_not_from_the_future(page, now),
                broken=page.broken,
                requests=1,
                now=now,
                scope=scope,
                shows_all=page.shows_all and scanned.scope is not None,
                due=page.due,
                full_scan_id=scanned.scan_id if scanned.whole else "",
                gone=self.parts.cursor.gone(page) if is_of_changes else (),
                fuse=self.fuse,
                cursor=page.cursor if is_of_changes and page.next_page is None else None,
                address=scanned.next_page,
                scan_pass=scanned.scan_pass,
            ),
            self.progress,
            end=end,
        )
        log.info("page saved", action="run.page", run_id=scanned.run_id, read=counts.read, detected=counts.detected)
        if counts.detected:
            self.announce(counts.detected)
        self.tell(counts)

    @property
    def fuse(self) -> Fuse:
        """How many of a resource may be found gone before a person is asked."""
        return fuse_of(self.customer, self.parts.fuse)

    def tell(self, counts: RunCounts) -> None:
        """What a page or a scan has found gone, or unreadable."""
        if counts.broken:
            self.parts.letter_limit.mind(self.customer.customer_id)
        if counts.deleted:
            self.announce(counts.deleted)
        if counts.held:
            log.error("deletions are held", action="deletions.held", resource=self.resource, count=counts.held)
            self.parts.metrics.deletions_held.labels(self.customer.customer_id, self.resource).inc(counts.held)

    def announce(self, detected: int) -> None:
        self.backlog.add(detected)
        self.parts.metrics.events_detected.labels(self.customer.customer_id, self.resource).inc(detected)
        self.parts.publish(self.customer)

    def _end_of_pass(self, last: Page) -> RunState | None:
        """Seal the scan and end the run, or go on with another pass."""
        detector, progress = self.parts.detector, self.progress
        seen = self.parts.store.seen_in_scan(self.customer.customer_id, self.resource, progress.scan_id)
        if detector.is_sealed(progress, seen):
            # A layer that reads from a bound of its own leaves the checkpoint alone.
            position = detector.position(progress) or self._of_nobody(last) if progress.since is None else None
            return self.finish(RunState.COMPLETED, position, "")
        log.info(
            "scan not sealed", action="run.unsealed", seen=seen, total=progress.total, scan_pass=progress.scan_pass
        )
        again = detector.next_pass(progress)
        if again is None:
            return self.finish(RunState.UNSEALED, None, "the records moved, or were hidden, in every pass")
        self.progress = again
        return None

    def _of_nobody(self, last: Page) -> datetime | None:
        """A list that was empty when it was read first has been read all the same: by then, on the source's clock."""
        return last.answered_at if self._is_first and last.total == 0 else None

    def _wait_for_credentials(self, block: CredentialsBlocked) -> RunState:
        if self._passage is not None and self._passage.is_blocked:
            log.error("source is blocked", action="credentials.blocked", system=System.SOURCE, why=str(block))
        # At any time, for the sweep leaves it alone until the source is no longer blocked.
        return self._put_off(self.parts.clock.now(), f"waits until the source is verified: {block}")

    def _after_outage(self, outage: TransientError) -> RunState:
        """Once the breaker is open, it says when; until then there is a backoff of the run's own. Not before the source
        says so itself.
        """
        self.progress = replace(self.progress, outages=self.progress.outages + 1)
        opened_until = self._passage.opened_until if self._passage is not None else None
        if opened_until is None:
            delay = BACKOFF.delay_seconds(self.progress.outages, self.parts.random_unit())
            return self.continue_at(_told(outage, self.parts.clock.now() + timedelta(seconds=delay)), str(outage))
        log.warning("breaker is open", action="breaker.opened", system=System.SOURCE, until=opened_until.isoformat())
        self.parts.metrics.breaker_openings.labels(System.SOURCE).inc()
        return self.continue_at(_told(outage, opened_until), str(outage))

    def _after_failure(self, error: TransientError) -> RunState:
        failures = self.progress.failures + 1
        if failures >= FAILURES_BEFORE_GIVING_UP:
            return self._fail(error)
        self.progress = replace(self.progress, failures=failures)
        delay = BACKOFF.delay_seconds(failures, self.parts.random_unit())
        return self.continue_at(self.parts.clock.now() + timedelta(seconds=delay), str(error))

    def _fail(self, error: SyncError) -> RunState:
        log.error("run failed", action="run.failed", error=str(error))
        if isinstance(error, CustomerBlocked):
            self.parts.customers.pause(self.customer.customer_id, str(error))
        return self.finish(RunState.FAILED, None, str(error))

    def continue_at(self, moment: datetime, why: str) -> RunState:
        return self._put_off(moment, f"goes on at {moment:%H:%M:%S} UTC: {why}")

    def _put_off(self, moment: datetime, why: str) -> RunState:
        log.info("run continues later", action="run.continued", at=moment.isoformat(), why=why)
        self.parts.store.save_progress(
            self.customer.customer_id,
            self.resource,
            self.progress,
            continue_at=moment,
            why=why[:ERROR_CHARACTERS],
        )
        return RunState.CONTINUED

    def finish(self, state: RunState, position: datetime | None, error: str) -> RunState:
        unfinished = told_of_unfinished(self.parts, self.customer, self.resource, self.progress)
        error = "; ".join(filter(None, (error, unfinished)))
        is_backfilled = self._is_first and state is RunState.COMPLETED and position is not None
        backfilled = self.parts.resources(self.customer) if is_backfilled else ()
        failed_runs = self.parts.store.finish_run(
            self.customer.customer_id,
            self.resource,
            self.progress.run_id,
            state=state,
            position=position,
            error=error[:ERROR_CHARACTERS],
            now=self.parts.clock.now(),
            keeps=self._kept(state),
            backfilled=backfilled,
        )
        log.info("run ended", action="run.ended", run_id=self.progress.run_id, state=state)
        if backfilled:
            log.info(BACKFILLED, action=BACKFILLED, resource=self.resource)
        if state is RunState.FAILED:
            self.parts.failure_limit.mind(self.customer.customer_id, failed_runs, error[:ERROR_CHARACTERS])
        return state

    def _kept(self, state: RunState) -> Windows | None:
        return None if state is RunState.COMPLETED else self.parts.backfill.kept(self.progress)


def _told(outage: TransientError, moment: datetime) -> datetime:
    """The later one of that and of what the source said."""
    told = outage.retry_at if isinstance(outage, SystemUnavailable) else None
    return moment if told is None else max(moment, told)


def _not_from_the_future(page: Page, now: datetime) -> list[Record]:
    """A stamp that is yet to come would make every later change of its record look stale."""
    latest = page.answered_at or now
    return [replace(record, updated_at=min(record.updated_at, latest)) for record in page.records]
