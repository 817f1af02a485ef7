"""The first reading of a list by the pure detectors, as a run makes it, without its transactions."""

from __future__ import annotations

from datetime import datetime

from common.domain.checkpoints import Checkpoint, Progress
from common.domain.resources import USERS
from common.domain.windows import Stage
from poller.detectors.backfill import Backfill
from poller.detectors.incremental import Incremental
from support.builders import NOW
from support.roster import Roster


def read_windows(roster: Roster, detector: Backfill) -> tuple[set[str], datetime | None]:
    """Everything seen, and the candidate; None: it will not be sealed."""
    progress: Progress | None = Progress(run_id="r", origin="backfill", trace_id="t")
    seen: dict[str, set[str]] = {}
    while progress.windows is None or progress.windows.stage is not Stage.DONE:
        if progress.windows is not None and progress.windows.is_read:
            is_sealed = detector.is_sealed(progress, len(seen[progress.scan_id]))
            progress = detector.sealed(progress) if is_sealed else detector.next_pass(progress)
            if progress is None:
                return set(), None
            continue
        asked = detector.begin(progress, NOW)
        page = roster.page(detector.query(USERS, asked))
        seen.setdefault(asked.scan_id, set()).update(record.source_id for record in page.records)
        progress = detector.after_page(asked, page, NOW)
    return set().union(*seen.values()), detector.position(progress)


def read_bounded(roster: Roster, detector: Incremental) -> set[str] | None:
    """One run as polls make it, below a bound of the time of change: what its pass has seen; None: none was sealed."""
    checkpoint = Checkpoint(customer_id="acme", resource=USERS)
    progress: Progress | None = Progress(run_id="r", origin="backfill", trace_id="t")
    seen: dict[str, set[str]] = {}
    while progress is not None:
        page, asked = roster.page(detector.query(USERS, checkpoint, progress)), progress
        seen.setdefault(asked.scan_id, set()).update(record.source_id for record in page.records)
        progress = detector.after_page(asked, page, roster.clock)
        if detector.needs_another_page(progress, page):
            continue
        if detector.is_sealed(progress, len(seen[asked.scan_id])):
            return seen[asked.scan_id]
        progress = detector.next_pass(progress)
    return None
