"""What the commands that ask for a reading have in common: whom, of what, and as which run."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime

from common.cli.bootstrap import Parts
from common.cli.failures import CommandFailed
from common.cli.offboarding import way_back
from common.domain.checkpoints import Progress, first_progress
from common.domain.customers import Customer, CustomerStatus
from common.domain.layers import Layer


def served(parts: Parts, customer_id: str) -> Customer:
    """Raises CommandFailed, with the way back, for one that is offboarded."""
    customer = parts.customers.get(customer_id)
    if customer.status is CustomerStatus.OFFBOARDED:
        raise CommandFailed(way_back(parts, customer_id))
    return customer


def require_known(resource: str, known: Collection[str]) -> None:
    """Raises CommandFailed if it is none of these."""
    if resource not in known:
        raise CommandFailed(f"--resource: {resource!r} is none of {', '.join(known)}", exit_code=2)


def require_scanned(resource: str, scanned: Collection[str]) -> None:
    """Raises CommandFailed if it is not read by its time of change."""
    if resource not in scanned:
        line = f"--resource: {resource} is compared whole each time it is read; this is for {', '.join(scanned)}"
        raise CommandFailed(line, exit_code=2)


def begun(layer: Layer, now: datetime, since: datetime | None = None) -> Progress:
    """Of a new run that was asked for by hand; `since` as of `first_progress`."""
    run_id, trace_id = uuid.uuid4().hex, uuid.uuid4().hex
    return first_progress(layer, None, run_id=run_id, trace_id=trace_id, now=now, since=since)
