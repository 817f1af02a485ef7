"""`python -m chaos.broken <bug> <celery arguments>`: one of the fleet's processes with a bug planted from outside.

Chaos that does not catch these would catch nothing. The product has no switch for them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

from celery.__main__ import main
from support.breaking import NoLocks

from common.storage.locks import AdvisoryLocks
from poller import sweep


def no_locks() -> None:
    """Everybody gets every lock."""
    free = NoLocks()
    AdvisoryLocks.try_hold = lambda _self, name: free.try_hold(name)


def no_sweep() -> None:
    """What Redis forgets, nobody says again."""
    sweep.sweep = lambda *_args, **_options: None


BUGS: Mapping[str, Callable[[], None]] = {"no-locks": no_locks, "no-sweep": no_sweep}


if __name__ == "__main__":
    BUGS[sys.argv.pop(1)]()
    sys.argv[0] = "celery"
    sys.exit(main())
