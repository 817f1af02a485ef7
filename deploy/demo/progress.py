"""Progress: a live display on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from deploy.demo.watching import Standing

#: Redraws per second of the live display.
REDRAWS = 4
#: Notes that the live display keeps in view.
NOTES_SHOWN = 5
#: Seconds between two plain lines of a phase.
LINE_SECONDS = 5.0


@dataclass
class Progress:
    """What is going on; a live display reads it while the story writes it."""

    console: Console
    live: bool
    clock: Callable[[], float] = time.monotonic
    phase: str = "starting"
    standings: Mapping[str, Standing] = field(default_factory=dict)
    faults: int = 0
    kills: int = 0
    flushes: int = 0
    notes: list[str] = field(default_factory=list)
    _started: float = 0.0
    _last_line: float = 0.0

    def __post_init__(self) -> None:
        self._started = self.clock()

    @property
    def elapsed_seconds(self) -> float:
        return self.clock() - self._started

    def enter(self, phase: str) -> None:
        self.phase = phase
        self.note(phase)

    def note(self, line: str) -> None:
        """Something that happened once."""
        self.notes.append(f"{self.elapsed_seconds:5.0f} s  {line}")
        if not self.live:
            self.console.print(self.notes[-1], markup=False, highlight=False, soft_wrap=True)

    def update(self, standings: Mapping[str, Standing], faults: int | None = None) -> None:
        """How things stand now."""
        self.standings = standings
        self.faults = self.faults if faults is None else faults
        if not self.live and self.clock() - self._last_line >= LINE_SECONDS:
            self._last_line = self.clock()
            self.note(self._sum())

    def _sum(self) -> str:
        rows = self.standings.values()
        source, there, late = (sum(getattr(row, name) for row in rows) for name in ("source", "destination", "behind"))
        return (
            f"{self.phase}: {source} users, {there} contacts, {late} behind, {self.faults} faults, {self.kills} kills"
        )

    def __rich__(self) -> RenderableType:
        heading = f"{self.elapsed_seconds:.0f} s  {self._sum()}, Redis flushed {self.flushes} times"
        return Group(Text(heading, style="bold"), self._table(), *map(Text, self.notes[-NOTES_SHOWN:]))

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False)
        for heading in ("customer", "source", "destination", "behind"):
            table.add_column(heading, justify="left" if heading == "customer" else "right")
        for name, row in self.standings.items():
            table.add_row(name, str(row.source), str(row.destination), str(row.behind) if row.behind else "")
        return table


@contextmanager
def displayed(progress: Progress) -> Iterator[None]:
    """Show it live for as long as the block lasts, where that is possible."""
    if not progress.live:
        yield
        return
    with Live(progress, console=progress.console, refresh_per_second=REDRAWS, transient=True):
        yield
