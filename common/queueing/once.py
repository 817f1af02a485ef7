"""Build something once per process, when it is first needed, whichever thread needs it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Once(Generic[T]):
    """Call it: the first call builds, the others get the same thing. A failed build is tried again."""

    def __init__(self, build: Callable[[], T]) -> None:
        self._build = build
        self._built: list[T] = []
        self._building = threading.Lock()

    def __call__(self) -> T:
        with self._building:
            if not self._built:
                self._built.append(self._build())
            return self._built[0]
