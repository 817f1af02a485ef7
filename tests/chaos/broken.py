"""`python -m chaos.broken <bug> <celery arguments>`: one of the fleet's processes with a bug planted from outside.

To see what chaos catches, and what the product survives: polls announce what is due even without a sweep. The product
has no switch for them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace

from celery.__main__ import main
from support.breaking import NoLocks

from common.storage.locks import AdvisoryLocks
from poller import sweep
from processor import delivery


def no_locks() -> None:
    """Everybody gets every lock."""
    free = NoLocks()
    AdvisoryLocks.try_hold = lambda _self, name: free.try_hold(name)


def no_sweep() -> None:
    """What Redis forgets, nobody says again."""
    sweep.sweep = lambda *_args, **_options: None


def never_looks() -> None:
    """After an unknown outcome the write is simply made again."""
    delivery.look = lambda _part, works: [replace(work, unresolved=None) for work in works]


BUGS: Mapping[str, Callable[[], None]] = {"no-locks": no_locks, "no-sweep": no_sweep, "never-looks": never_looks}


if __name__ == "__main__":
    BUGS[sys.argv.pop(1)]()
    sys.argv[0] = "celery"
    sys.exit(main())
