"""Runs: one pass of a detector over (customer, resource), and its report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class RunState(StrEnum):
    """How a run stands."""

    RUNNING = "running"  # a worker has it, or had it and was killed
    CONTINUED = "continued"  # saved its progress; goes on at `continue_at`
    COMPLETED = "completed"  # sealed: the checkpoint moved
    UNSEALED = "unsealed"  # the set moved under it every time: checkpoint kept, nothing lost
    FAILED = "failed"  # ended by an error; the next run starts from the same checkpoint


FINAL_RUN_STATES = frozenset({RunState.COMPLETED, RunState.UNSEALED, RunState.FAILED})


@dataclass(frozen=True, kw_only=True)
class RunCounts:
    """What one page, or a whole run, read and made of it."""

    requests: int = 0
    pages: int = 0
    read: int = 0
    #: Events inserted: records whose content hash differs from the mirror's.
    detected: int = 0
    unchanged: int = 0
    #: Records older than what the mirror holds: never put back.
    stale: int = 0
    #: Records that could not be read; each is a dead letter.
    broken: int = 0
    #: Events inserted for records that are not there any more; not among `read` and `detected`.
    deleted: int = 0
    #: Records that are not there any more, and are more than the fuse lets go: a person decides.
    held: int = 0

    def __add__(self, other: RunCounts) -> RunCounts:
        names = self.__dataclass_fields__
        return RunCounts(**{name: getattr(self, name) + getattr(other, name) for name in names})


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """A run as an operator sees it."""

    customer_id: str
    run_id: str
    resource: str
    origin: str
    state: RunState
    started_at: datetime
    finished_at: datetime | None
    counts: RunCounts
    error: str = ""
