"""Ways to break the product on purpose, from outside: every promise's test is seen to fail with one of them.

Nothing of the product has a switch for this; a broken part is put in the place of a sound one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class HeldByNobody:
    def verify(self) -> None:
        """Always content."""


class NoLocks:
    """Everybody gets every lock."""

    @contextmanager
    def try_hold(self, _name: str) -> Iterator[HeldByNobody]:
        yield HeldByNobody()


class Wrapped:
    """Passes everything on to `inner`; subclasses break one method."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class NeverLooks(Wrapped):
    """A destination whose look-up always says: not there. Without looking, a rewrite is blind."""

    def look(self, entities: Any, since: Any) -> dict[Any, Any]:
        return {}


class ForgetsTheLedger(Wrapped):
    """A delivery store that lets an older version be applied after a newer one."""

    def links(self, entities: Any) -> Any:
        return {}

    def links_to(self, *_: Any) -> Any:
        return []


class NoBudget:
    """Permits everything."""

    def acquire(self, *_: Any) -> None:
        """Always."""

    def learn(self, *_: Any) -> None:
        """Nothing."""

    def close(self, *_: Any) -> None:
        """Never."""


class Killed(BaseException):
    """Stands for SIGKILL: nothing of the product catches it."""


class KillsAt:
    """Counts calls over all its wrappers, and raises Killed at the chosen one, before or after the call."""

    def __init__(self) -> None:
        self.calls = 0
        self.at: int | None = None
        self.after = False
        self.names: list[str] = []

    def __call__(self, inner: Any) -> Any:
        return _Mined(inner, self)

    def arm(self, at: int | None, *, after: bool = False) -> None:
        self.calls, self.at, self.after, self.names = 0, at, after, []


class _Mined:
    def __init__(self, inner: Any, mine: KillsAt) -> None:
        self._inner = inner
        self._mine = mine

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        if not callable(value):
            return value

        def call(*args: Any, **kwargs: Any) -> Any:
            self._mine.calls += 1
            self._mine.names.append(name)
            now = self._mine.calls == self._mine.at
            if now and not self._mine.after:
                raise Killed(name)
            result = value(*args, **kwargs)
            if now:
                raise Killed(name)
            return result

        return call
