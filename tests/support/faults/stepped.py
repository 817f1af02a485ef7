"""`python -m support.faults.stepped FILE MODULE ARGUMENTS`: run a module with a clock that is stepped through a file.

What steps is every wall clock that Python shows in this process: `datetime.now`, `time.time`, `time.clock_gettime` of
CLOCK_REALTIME, `localtime`, in every thread, our own code or Celery's. What does not: the monotonic clock and so every
deadline and sleep, as on a machine whose clock is set; C code that asks the kernel by itself (libpq, OpenSSL); other
processes; PostgreSQL, Redis and the sandbox, which have clocks of their own.
"""

from __future__ import annotations

import runpy
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import time_machine

#: Seconds between two looks at the file.
LOOK_SECONDS = 0.02


def offset_in(file: Path) -> float:
    """Seconds ahead of the machine's clock; 0 where nothing is written."""
    try:
        return float(file.read_text())
    except FileNotFoundError:
        return 0.0


def seen_by(file: Path) -> Path:
    """Where the process says which offset it has taken over."""
    return file.with_suffix(".seen")


def follow(file: Path, clock: Any, offset: float) -> None:
    """For as long as the process lives."""
    never = threading.Event()
    while not never.wait(LOOK_SECONDS):
        wanted = offset_in(file)
        if wanted != offset:
            clock.shift(timedelta(seconds=wanted - offset))
            offset = wanted
            seen_by(file).write_text(str(offset))


def main() -> None:
    file, module = Path(sys.argv[1]), sys.argv[2]
    offset = offset_in(file)
    clock = time_machine.travel(datetime.now(UTC) + timedelta(seconds=offset), tick=True).start()
    seen_by(file).write_text(str(offset))
    threading.Thread(target=follow, args=(file, clock, offset), name="stepped clock", daemon=True).start()
    sys.argv = [module, *sys.argv[3:]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
