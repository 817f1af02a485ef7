"""What has been asked for lately, so that it is not asked for again at once. Forgetting it costs a message, no more."""

from __future__ import annotations

from collections.abc import Iterable

from redis import Redis


class Asked:
    """Remembers names for a while, for all processes."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    def fresh(self, names: Iterable[str], *, seconds: float) -> list[str]:
        """Those not asked for in the last `seconds`; they count as asked for now. Raises RedisError."""
        names = list(names)
        pipeline = self._client.pipeline(transaction=False)
        for name in names:
            pipeline.set(f"asked:{name}", 1, nx=True, px=int(seconds * 1000))
        return [name for name, was_set in zip(names, pipeline.execute(), strict=True) if was_set]

    def prolong(self, name: str, *, seconds: float) -> None:
        """It counts as asked for during the next `seconds`, unless it was forgotten meanwhile. Raises RedisError."""
        self._client.set(f"asked:{name}", 1, xx=True, px=int(seconds * 1000))

    def forget(self, name: str) -> None:
        """It may be asked for again. Raises RedisError."""
        self._client.delete(f"asked:{name}")

    def waiting(self, queue: str) -> int:
        """Messages on a queue, expired ones too. Raises RedisError."""
        return int(self._client.llen(queue))
