"""SIGINT, SIGTERM and SIGHUP end a `with` block in the ordinary way, so that what it holds is put down in order."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

#: Ctrl-C, a service manager, and a closed terminal.
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequested(KeyboardInterrupt):
    """Raised in the main thread by the first stop signal."""


@contextmanager
def stop_on_signals() -> Iterator[None]:
    """End the block at the first such signal, without an error; later ones do not disturb its clean-up."""
    before = {number: signal.signal(number, _request_stop) for number in STOPPING}
    try:
        yield
    except StopRequested:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _request_stop(_number: int, _frame: object) -> None:
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)
    raise StopRequested
