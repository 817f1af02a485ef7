"""Checkpoints: how far a resource has been detected for a customer, and what an unfinished run has done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from common.domain.events import Origin
from common.domain.layers import LAYER_TERMS, Layer
from common.domain.windows import Windows, windows_from_json


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """`position` is the highest `updated_at` the source has shown us in a sealed scan; never our own clock."""

    customer_id: str
    resource: str
    position: datetime | None = None
    #: Of a source that tells its changes since one: up to where they are saved; empty: there is none yet.
    cursor: str = ""

    def advanced_to(self, candidate: datetime | None) -> datetime | None:
        """The later of the two: a checkpoint never moves back by itself."""
        if candidate is None or self.position is None:
            return candidate or self.position
        return max(candidate, self.position)


@dataclass(frozen=True, kw_only=True)
class Progress:
    """What an unfinished scan must remember to go on after a kill; kept as JSON beside the checkpoint."""

    run_id: str
    origin: str
    trace_id: str
    #: 1-based: a scan that saw movement under it is made again.
    scan_pass: int = 1
    #: The source's own address of the next page; None means: start the pass.
    next_page: str | None = None
    #: Lower bound of the scan, ISO; None: the checkpoint.
    since: str | None = None
    #: Upper bound of the scan, ISO, taken from the source's own clock; None while the scan fits on one page.
    before: str | None = None
    #: Highest `updated_at` that the scan has shown so far, ISO.
    highest: str | None = None
    #: `meta.total` of the pass's first page.
    total: int | None = None
    #: A later page of this pass gave another total.
    moved: bool = False
    #: Answers in a row that were no page; 0 after a good one. So many end the run.
    failures: int = 0
    #: The scope that is being read, of a resource that is read scope by scope; None: the next is still to be chosen.
    scope: str | None = None
    #: When the walk over the scopes began, ISO.
    walk_began: str | None = None
    #: Requests in a row that met an outage; 0 after a good one. They make it wait longer, and never end it.
    outages: int = 0
    #: A full scan: it has no bounds, and what it does not show was not there.
    whole: bool = False
    #: Items that the pass of a full scan has shown so far, each time that it did.
    shown: int = 0
    #: An item of the pass could not be told from others: any record may be it.
    blind: bool = False
    #: The last record that was looked for by its id, once a full scan is sealed; None: it is not.
    looked: str | None = None
    #: How many were looked for.
    looks: int = 0
    #: Scopes that were skipped, each time that they were.
    skipped: int = 0
    #: The first of them and what they answered, for the report.
    skipped_named: str = ""
    #: How far a backfill by created time has come; None: it is not read so.
    windows: Windows | None = None

    #: What the run reads changes after, or will once its snapshot is sealed; None: it has not begun.
    cursor: str | None = None
    #: How often a cursor has expired under the run.
    expiries: int = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def scan_id(self) -> str:
        """Marks the mirror rows that this pass has seen.

        What was read before the scan had its upper bound may lie above it, and must not be counted as seen below. Nor
        must what a scope has shown in an earlier round of a long walk, or a full scan in a reading that was not ended.
        """
        if self.windows is not None:
            return f"{self.run_id}:backfill:{self.windows.unit}"
        if self.whole:
            return f"{self.run_id}:full:{self.walk_began}:{self.scan_pass}"
        if self.scope is not None:
            return f"{self.run_id}:{self.scope}:{self.walk_began}:{self.scan_pass}"
        return f"{self.run_id}:{self.scan_pass}{'' if self.before else ':unbounded'}"

    def start(self, checkpoint: Checkpoint) -> Checkpoint:
        """Where the scan reads from: its layer's own bound, or the checkpoint."""
        return checkpoint if self.since is None else replace(checkpoint, position=datetime.fromisoformat(self.since))


def first_progress(
    layer: Layer,
    position: datetime | None,
    *,
    run_id: str,
    trace_id: str,
    now: datetime,
    since: datetime | None = None,
    windows: Windows | None = None,
) -> Progress:
    """Of a run that begins: `position` is the checkpoint's, None if there was no sealed scan yet.

    `since`: a person's bound, in the place of the layer's own. `windows`: what an earlier backfill has kept.
    """
    terms = LAYER_TERMS[layer]
    origin = terms.origin or (Origin.BACKFILL if position is None else Origin.POLL)
    if terms.looks_back_seconds is None:
        kept = windows if position is None and not terms.is_whole else None
        return Progress(run_id=run_id, origin=origin, trace_id=trace_id, whole=terms.is_whole, windows=kept)
    since = since or now - timedelta(seconds=terms.looks_back_seconds)
    return Progress(run_id=run_id, origin=origin, trace_id=trace_id, since=since.isoformat())


def progress_from_json(value: Mapping[str, Any] | None) -> Progress | None:
    return Progress(**{**value, "windows": windows_from_json(value.get("windows"))}) if value else None
