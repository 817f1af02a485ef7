"""The phases: backfill, edits under faults with a kill and a flush, quiet."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

from deploy.audit.report import Report
from deploy.audit.run import audit
from deploy.demo.fleet import Fleet
from deploy.demo.onboarding import bring_in
from deploy.demo.plan import EDIT_WEIGHTS, EDITS_PER_SECOND, DemoCustomer, faults, opening_faults
from deploy.demo.progress import Progress
from deploy.demo.watching import hits, is_level, look
from deploy.sandbox.client import SandboxAdmin

#: Seconds between two looks: an export costs the sandbox a tenth of a second.
LOOK_SECONDS = 2.0
#: And at least so many, when something else is due.
SHORTEST_PAUSE_SECONDS = 0.05
#: Seconds for the backfill; it takes about forty on two cores.
BACKFILL_SECONDS = 120.0
#: Seconds for the rest after the edits. A source budget that Redis forgot stays shut for its whole minute.
QUIET_SECONDS = 140.0
#: Seconds that the quiet must last: longer than a request that was given up may still be under way.
CALM_SECONDS = 6.0
#: When in the time of the edits a worker is killed and Redis forgets. Polls pause for a minute after that: not sooner.
KILL_AT, FLUSH_AT = 1 / 3, 2 / 3
VICTIM = "processor2"


def _wait(seconds: float) -> None:
    """A wait that a signal ends."""
    Event().wait(seconds)


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What the demonstration itself counted."""

    elapsed_seconds: float
    backfill_seconds: float
    quiet_seconds: float
    #: Whether the fleet came to rest in time; an audit of one that did not is a chance hit.
    at_rest: bool
    faults: dict[str, int]
    kills: int
    flushes: int


@dataclass
class Story:
    """One run of the demonstration."""

    fleet: Fleet
    admin: SandboxAdmin
    customers: list[DemoCustomer]
    progress: Progress
    edit_seconds: float
    seed: int
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = _wait
    #: Whether the last wait ended before its time was over.
    level: bool = False

    def tell(self) -> tuple[Report, Figures]:
        self._onboard()
        backfill_seconds = self._until_level("backfill", BACKFILL_SECONDS, calm_seconds=0.0)
        began = time.time()
        fired = self._disturb()
        quiet_seconds = self._until_level("waiting for quiet", QUIET_SECONDS, calm_seconds=CALM_SECONDS)
        self.progress.enter("audit")
        report = audit(self.fleet.sandbox_url, since=began)
        return report, Figures(
            elapsed_seconds=self.progress.elapsed_seconds,
            backfill_seconds=backfill_seconds,
            quiet_seconds=quiet_seconds,
            at_rest=self.level,
            faults=fired,
            kills=self.progress.kills,
            flushes=self.progress.flushes,
        )

    def _onboard(self) -> None:
        self.progress.enter("onboarding")
        accesses = self.admin.create_organizations(
            *({"name": customer.name, **customer.sandbox} for customer in self.customers)
        )
        for access in accesses:
            self.admin.create_tags(access.name)
        bring_in(self.fleet.environment, self.customers, accesses)
        self.admin.add_faults(*opening_faults(self.customers))
        self.progress.enter("starting the fleet")
        self.fleet.start()

    def _until_level(self, phase: str, seconds: float, *, calm_seconds: float) -> float:
        """Wait until the destination has been level with the source for so long; gives the seconds it took."""
        self.progress.enter(phase)
        self.level = False
        began, level_since = self.clock(), None
        while self.clock() - began < seconds:
            standings = look(self.admin)
            self.progress.update(standings)
            now = self.clock()
            level_since = (level_since or now) if is_level(standings) else None
            if level_since is not None and now - level_since >= calm_seconds:
                self.level = True
                return level_since - began
            self.pause(LOOK_SECONDS)
        self.progress.note(f"{phase}: not done after {seconds:.0f} s")
        return self.clock() - began

    def _disturb(self) -> dict[str, int]:
        """Edits and faults for their time, then no more faults; gives the faults that happened."""
        self.progress.enter("edits with faults")
        self.admin.add_faults(*faults(self.customers))
        rate = EDITS_PER_SECOND * len(self.customers)
        self.admin.start_edits(seconds=self.edit_seconds, per_second=rate, seed=self.seed, weights=EDIT_WEIGHTS)
        self._edit_on(self.clock())
        fired = hits(self.admin)
        self.admin.stop_edits()
        self.admin.clear_faults()
        return fired

    def _edit_on(self, began: float) -> None:
        strokes = self._strokes()
        while (left := began + self.edit_seconds - self.clock()) > 0:
            if strokes and self.edit_seconds - left >= strokes[0][0] * self.edit_seconds:
                strokes.pop(0)[1]()
                continue
            self.progress.update(look(self.admin), sum(hits(self.admin).values()))
            next_at = strokes[0][0] * self.edit_seconds if strokes else self.edit_seconds
            self.pause(min(LOOK_SECONDS, max(SHORTEST_PAUSE_SECONDS, began + next_at - self.clock())))
        for _, strike in strokes:  # A machine so slow that a look took all the time left.
            strike()

    def _strokes(self) -> list[tuple[float, Callable[[], None]]]:
        return [(KILL_AT, self._kill), (FLUSH_AT, self._flush)]

    def _kill(self) -> None:
        self.fleet.kill(VICTIM)
        self.progress.kills += 1
        self.progress.note(f"{VICTIM} killed with SIGKILL")

    def _flush(self) -> None:
        self.fleet.flush_redis()
        self.progress.flushes += 1
        self.progress.note("Redis flushed")
