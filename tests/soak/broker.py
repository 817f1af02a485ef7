"""What Redis holds, by its own word."""

from __future__ import annotations

from collections.abc import Iterator

from redis import Redis

BYTES_PER_MEGABYTE = 1_048_576


def use_of(redis: Redis) -> Iterator[tuple[str, float]]:
    info = redis.info()
    yield "redis memory", info["used_memory"] / BYTES_PER_MEGABYTE
    yield "redis clients", float(info["connected_clients"])
    yield "redis keys", float(redis.dbsize())
