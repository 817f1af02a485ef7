"""Where a secret could have got to, as bytes to be searched."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import redis

#: Bytes that are searched at a time, and how many of the last ones are searched again with the next: a needle that lies
#: across two pieces is found as long as it is no longer.
PIECE, OVERLAP = 1 << 20, 512
TIMEOUT_SECONDS = 20.0
#: An answer that shows nothing to whoever may not see it.
CLOSED = frozenset({401, 403, 404})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    name: str
    pieces: Iterable[bytes]
    #: Personal data belongs there.
    holds_people: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsearched:
    """A place that nothing can be said of."""

    name: str
    why: str


def log_files(path: str) -> Iterator[Place | Unsearched]:
    """A file, or every file below a folder."""
    root = Path(path)
    if not root.exists():
        yield Unsearched(name=path, why="there is nothing")
    for each in sorted(root.rglob("*")) if root.is_dir() else [root]:
        if each.is_file():
            yield Place(name=str(each), pieces=_read(each))


def database_files(url: str) -> Iterator[Place | Unsearched]:
    """Tables, indexes and the write-ahead log as they are on disk, everything in memory written out first."""
    try:
        with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://", 1), autocommit=True) as connection:
            connection.execute("CHECKPOINT")
            row = connection.execute("SHOW data_directory").fetchone()
    except psycopg.Error as error:
        yield Unsearched(name="database", why=type(error).__name__)
        return
    yield from _files("database", Path(str(row[0] if row else "")), holds_people=True)


def redis_contents(url: str) -> Iterator[Place | Unsearched]:
    """Everything in the server, of all of its databases as far as files go."""
    try:
        with redis.Redis.from_url(url, socket_timeout=TIMEOUT_SECONDS) as client:
            yield Place(name="redis", pieces=[b"\n".join(_keys(client))])
            settings: Any = client.config_get("*")
            _dump(client, settings)
            yield from _files("redis", Path(settings["dir"]), holds_people=False)
    except redis.RedisError as error:
        yield Unsearched(name="redis", why=type(error).__name__)


def pages(urls: Iterable[str]) -> Iterator[Place | Unsearched]:
    with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
        for url in urls:
            try:
                answer = client.get(url)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                yield Unsearched(name=url, why=type(error).__name__)
                continue
            if answer.is_success or answer.status_code in CLOSED:
                yield Place(name=url, pieces=[answer.content, repr(answer.headers).encode()])
            else:
                yield Unsearched(name=url, why=str(answer.status_code))


def _keys(client: Any) -> Iterator[bytes]:
    """Keys and values; a type that nobody reads here is told by its name, which is no needle."""
    readers: dict[bytes, Any] = {
        b"string": client.get,
        b"list": lambda key: client.lrange(key, 0, -1),
        b"hash": client.hgetall,
        b"zset": lambda key: client.zrange(key, 0, -1),
        b"set": client.smembers,
        b"stream": client.xrange,
    }
    for key in client.scan_iter(count=1000):
        yield key
        yield from _flat(readers[client.type(key)](key))


def _flat(value: Any) -> Iterator[bytes]:
    """Bytes of whatever nests."""
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from (*_flat(name), *_flat(item))
    elif isinstance(value, list | tuple | set):
        for item in value:
            yield from _flat(item)


def _dump(client: Any, settings: Any) -> None:
    """A snapshot whose texts can be read; what was set before is set again."""
    client.config_set("rdbcompression", "no")
    try:
        client.save()
    finally:
        client.config_set("rdbcompression", settings["rdbcompression"])


def _files(what: str, root: Path, *, holds_people: bool) -> Iterator[Place | Unsearched]:
    if not root.is_dir():
        yield Unsearched(name=what, why="its files are not on this machine")
        return
    for each in sorted(root.rglob("*")):
        if each.is_file():
            yield Place(name=f"{what}: {each.relative_to(root)}", pieces=_read(each), holds_people=holds_people)


def _read(path: Path) -> Iterator[bytes]:
    """In pieces. A file that has gone meanwhile, as a server's do, leaks nothing; one that is closed to us raises."""
    try:
        with path.open("rb") as file:
            before = b""
            while piece := file.read(PIECE):
                yield before + piece
                before = piece[-OVERLAP:]
    except FileNotFoundError:
        return
