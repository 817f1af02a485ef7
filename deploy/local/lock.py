"""One fleet per state directory.

A lock of the kernel, so that it cannot outlive its holders. The guards of the servers inherit it: when a fleet is
killed, the directory stays locked until the last of its servers is really gone, and the next start waits for that.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from deploy.local.endpoints import is_alive
from deploy.local.errors import LocalServerError

#: Seconds to wait for the servers of a killed fleet; longer than their whole stop sequence takes.
RELEASE_SECONDS = 30
#: Seconds between two tries.
RETRY_SECONDS = 0.1
#: The file that is locked; it holds the process id of the holder.
LOCK_FILE = "lock"
#: Bytes read of it; a process id has fewer.
HOLDER_BYTES = 32


@contextmanager
def state_lock(state_dir: Path) -> Iterator[int]:
    """Hold the directory; yields the descriptor for children to inherit. Raises LocalServerError when it is taken."""
    descriptor = os.open(state_dir / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _acquire(descriptor, state_dir)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, state_dir: Path) -> None:
    attempts = Retrying(
        retry=retry_if_exception_type(BlockingIOError),
        stop=stop_after_delay(RELEASE_SECONDS),
        wait=wait_fixed(RETRY_SECONDS),
    )
    try:
        attempts(_try, descriptor, state_dir)
    except RetryError:
        raise LocalServerError(
            f"servers of an earlier fleet on {state_dir} do not end: see its logs, then end them by hand"
        ) from None


def _try(descriptor: int, state_dir: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, HOLDER_BYTES, 0).decode()
        if holder.isdigit() and is_alive(int(holder)):
            raise LocalServerError(
                f"a fleet is already running on {state_dir} (process {holder}): stop it, or choose another directory"
            ) from None
        raise
