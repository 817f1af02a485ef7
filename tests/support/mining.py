"""Numbered points: the seams of a process are wrapped, and at the chosen call it is killed by SIGKILL."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from common.http.client import make_transport

#: Seconds for one request: on a busy machine a slow answer must not look like none, which would be another story.
HTTP_SECONDS = 20.0
#: How the paths end by which a POST asks and changes nothing.
QUESTIONS = ("Query", "Search", "FullContact")


class Mine:
    """Numbers the points, notes their names, and kills at the chosen one."""

    def __init__(self) -> None:
        self._at: int | None = None
        self._notes: TextIO | None = None
        self.count = 0

    def arm(self, at: int | None, notes: Path | None) -> None:
        """From here on it counts."""
        self.count, self._at = 0, at
        self._notes = notes.open("a") if notes else None

    def pass_by(self, name: str) -> None:
        self.count += 1
        if self._notes:
            self._notes.write(f"{name}\n")
            self._notes.flush()
        if self.count == self._at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, inner: Any, where: str) -> Any:
        return _Mined(inner, self, where)


class _Mined:
    """Every call is a point: `<where>.<method>`; a context manager is one on the way in and one on the way out."""

    def __init__(self, inner: Any, mine: Mine, where: str) -> None:
        self._inner, self._mine, self._where = inner, mine, where

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._mine.pass_by(self._where)
        return self._inner(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        return value if not callable(value) else self._mine.around(value, f"{self._where}.{name}")


class MinedLocks:
    def __init__(self, inner: Any, mine: Mine, where: str) -> None:
        self._inner, self._mine, self._where = inner, mine, where

    def close(self) -> None:
        self._inner.close()

    @contextmanager
    def try_hold(self, name: str) -> Iterator[Any]:
        self._mine.pass_by(f"{self._where}.take")
        with self._inner.try_hold(name) as held:
            yield held
            self._mine.pass_by(f"{self._where}.release")


class MinedTransport:
    """Requests, by method and the kind of path; the answer's arrival is a point of its own."""

    def __init__(self, inner: Any, mine: Mine, where: str) -> None:
        self._inner, self._mine, self._where = inner, mine, where

    def renew(self) -> None:
        """From here on with connections of its own."""
        self._inner.close()
        self._inner = make_transport(HTTP_SECONDS)

    @contextmanager
    def stream(self, method: str, url: str, **options: Any) -> Iterator[Any]:
        kind = "read" if method == "GET" or url.endswith(QUESTIONS) else "write"
        self._mine.pass_by(f"{self._where}.{kind} sent")
        with self._inner.stream(method, url, **options) as response:
            self._mine.pass_by(f"{self._where}.{kind} answered")
            yield response
