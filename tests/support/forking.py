"""Children of a warm process: each does one work with a worker of `crashing`, and ends or is killed."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path

from common.logs.setup import configure_logs
from support.crashing import Place, Process, Story
from support.mining import Mine

#: The fork server loads this once.
PRELOADED = ["support.forking"]
TESTS = Path(__file__).parents[1]
#: Seconds for one work, of a hundred customers on a machine that has much else to do.
CHILD_SECONDS = 600

#: Breaks the product in the child: see `crashing_breaks`.
Break = Callable[[Process], None]


@dataclass(frozen=True, kw_only=True)
class Work:
    """What one child does: for these customers, and for how long it lives."""

    customers: Sequence[str]
    story: Story
    #: The point at which it is killed; None: it ends by itself.
    at: int | None = None
    #: Where the names of the points that it passes go.
    notes: Path | None = None
    breaks: Break | None = None
    #: Done by the warm process itself, see `_warm_up`.
    warms: bool = False


def _serve_work(place: Place, works: Connection) -> None:
    """A process that is warm: it has built the product, connected nothing, and forks a child for each work."""
    configure_logs(log_format="json", level="CRITICAL")
    mine = Mine()
    process = Process(place, mine)
    while (work := works.recv()) is not None:
        if work.warms:
            works.send(_warm_up(process, mine, work))
            continue
        child = os.fork()
        if child == 0:
            _do(process, mine, work)
        works.send(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def _warm_up(process: Process, mine: Mine, work: Work) -> int:
    """Done by the warm process itself: what it compiles, its children have. Its connections they must not have."""
    process.connect()
    mine.arm(None, work.notes)
    for customer_id in work.customers:
        process.until_rest(customer_id, work.story)
    mine.arm(None, None)
    process.disconnect()
    return 0


def _do(process: Process, mine: Mine, work: Work) -> None:
    """The whole of a child. It leaves no exit handlers to run: what it has inherited is its parent's."""
    try:
        process.connect()
        if work.breaks:
            work.breaks(process)
        mine.arm(work.at, work.notes)
        for customer_id in work.customers:
            process.until_rest(customer_id, work.story)
    except BaseException:  # noqa: BLE001 - told by its exit code, and on stderr
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


class Children:
    """Some warm processes, each of which has one child at a time."""

    def __init__(self, place: Place, *, side_by_side: int) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(PRELOADED)
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(TESTS), os.environ.get("PYTHONPATH"))))
        self._ends = []
        for _ in range(side_by_side):
            ours, theirs = context.Pipe()
            context.Process(target=_serve_work, args=(place, theirs), daemon=True).start()
            self._ends.append(ours)

    def do(self, works: Sequence[Work]) -> list[int]:
        """The exit codes, in the order of the works; a child that was killed has that of its signal, negative."""
        codes: dict[int, int] = {}
        left, busy = list(enumerate(works)), {}
        while left or busy:
            for end in self._ends:
                if end not in busy and left:
                    busy[end], work = left.pop(0)
                    end.send(work)
            ready = wait(list(busy), CHILD_SECONDS)
            assert ready, f"no child has ended within {CHILD_SECONDS} s"
            for end in ready:
                codes[busy.pop(end)] = end.recv()
        return [codes[number] for number in range(len(works))]

    def close(self) -> None:
        for end in self._ends:
            with suppress(BrokenPipeError):  # it has failed at warming up, which its test has been told
                end.send(None)
            end.close()

    def warm(self, customers: Sequence[str], story: Story, notes: Path | None = None) -> None:
        """Each process does the story for one of the customers itself; `notes`: of the first's points."""
        works = [Work(customers=[name], story=story, warms=True) for name in customers]
        works[0] = replace(works[0], notes=notes)
        assert len(works) == len(self._ends)
        for end, work in zip(self._ends, works, strict=True):
            end.send(work)
        assert {end.recv() for end in self._ends} == {0}

    def points(self, customers: Sequence[str], story: Story) -> list[str]:
        """The names of all points of a turn that nobody kills."""
        with tempfile.TemporaryDirectory() as directory:
            notes = Path(directory) / "points"
            self.warm(customers, story, notes)
            return notes.read_text().splitlines()
