"""Runs one command and makes sure that it ends when whoever asked for it is gone, however that one ended.

Started as a script, by path, in a session of its own: `python -I -S guard.py <orders as JSON> <command...>`. It uses
the standard library alone, so that it starts in milliseconds.

Why a process that stays, and not only PR_SET_PDEATHSIG on the command itself: that signal is bound to the parent
*thread*, cannot escalate from a polite signal to SIGKILL, and exists on Linux alone. So the guard asks for it merely as
a wake-up, and what decides is whether its parent is still the process that started it; a slow poll of the same
question serves where there is no such signal. The command in turn gets a death signal bound to the guard (which has
one thread), set after the change of user, for changing the user clears it.
"""

import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

#: Seconds between two looks at the parent where no signal tells of its death; short beside any stop deadline.
PARENT_POLL_SECONDS = 0.5
#: From <linux/prctl.h>.
PR_SET_PDEATHSIG = 1
#: Exit code when the command could not be started, as a shell gives it.
EXIT_NOT_STARTED = 127
#: Only wakes the guard; what it means is decided by looking.
WAKE_SIGNALS = (signal.SIGUSR1, signal.SIGCHLD)
#: Ask the guard to stop its command.
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
#: Bytes taken from the wake-up pipe at once; each signal writes one.
WAKE_READ_BYTES = 512


def death_signal_setter() -> Callable[[int], None]:
    """A function that asks the kernel to signal this process when its parent ends; does nothing but on Linux."""
    if sys.platform != "linux":
        return lambda _number: None
    libc = ctypes.CDLL(None)
    return lambda number: libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)


class Guard:
    def __init__(self, orders: dict[str, Any], command: list[str]) -> None:
        self.orders = orders
        self.command = command
        self.stop_asked = False
        self.wake = self._listen()
        self.set_death_signal = death_signal_setter()

    def run(self) -> int:
        """The command's exit code, 128 and the signal's number when a signal ended it."""
        self.set_death_signal(signal.SIGUSR1)
        if self.orphaned():
            return EXIT_NOT_STARTED
        child = self._launch()
        self._report(child.pid)
        while child.poll() is None and not self.stop_asked and not self.orphaned():
            self._sleep(PARENT_POLL_SECONDS)
        self._stop(child)
        if self.orphaned():
            os.killpg(0, signal.SIGKILL)  # Nobody is left to sweep the group, this process included.
        return child.returncode if child.returncode >= 0 else 128 - child.returncode

    def orphaned(self) -> bool:
        return bool(os.getppid() != self.orders["parent"])

    def _listen(self) -> int:
        read_end, write_end = os.pipe()
        os.set_blocking(read_end, False)
        os.set_blocking(write_end, False)
        signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
        for number in (*WAKE_SIGNALS, *STOP_SIGNALS):
            signal.signal(number, self._on_signal)
        return read_end

    def _on_signal(self, number: int, _frame: object) -> None:
        self.stop_asked = self.stop_asked or number in STOP_SIGNALS

    def _launch(self) -> "subprocess.Popen[bytes]":
        guard, first_signal = os.getpid(), self.orders["stop_signals"][0]

        def tie_to_guard() -> None:
            self.set_death_signal(first_signal)
            if os.getppid() != guard:
                os._exit(EXIT_NOT_STARTED)

        return subprocess.Popen(
            self.command,
            preexec_fn=tie_to_guard,  # noqa: PLW1509 - one thread; and it runs after the change of user, as it must
            **self.orders["account"],
        )

    def _report(self, pid: int) -> None:
        with os.fdopen(self.orders["report_to"], "w") as report:
            report.write(str(pid))

    def _stop(self, child: "subprocess.Popen[bytes]") -> None:
        for number in (*self.orders["stop_signals"], signal.SIGKILL):
            if child.poll() is None:
                child.send_signal(number)
                self._await_end(child, self.orders["grace_seconds"])

    def _await_end(self, child: "subprocess.Popen[bytes]", seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while child.poll() is None and (left := deadline - time.monotonic()) > 0:
            self._sleep(left)

    def _sleep(self, seconds: float) -> None:
        if select.select([self.wake], [], [], seconds)[0]:
            os.read(self.wake, WAKE_READ_BYTES)


def main(orders: str, *command: str) -> int:
    try:
        return Guard(json.loads(orders), list(command)).run()
    except (OSError, subprocess.SubprocessError) as error:
        sys.stderr.write(f"cannot run {command[0]}: {error}\n")
        return EXIT_NOT_STARTED


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
