"""What a connection through the proxy does to its bytes. A way is data; `links` acts on it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Side(StrEnum):
    """The two ends of a connection: who connects, and who is connected to."""

    CLIENT = "client"
    UPSTREAM = "upstream"

    @property
    def other(self) -> Side:
        return Side.UPSTREAM if self is Side.CLIENT else Side.CLIENT


class Reach(StrEnum):
    """Which connections a switch is for."""

    NEW = "new"
    EXISTING = "existing"
    ALL = "all"


@dataclass(frozen=True, kw_only=True)
class Pass:
    """All is carried at once."""


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Every chunk, either way, waits for so long before it is carried; order holds."""

    seconds: float
    #: Up to this is added at random.
    jitter_seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Trickle:
    """So many bytes a second in each direction."""

    bytes_per_second: int


@dataclass(frozen=True, kw_only=True)
class Stall:
    """Nothing is carried for now, and nothing is lost: it arrives later, also if its sender has given up meanwhile."""


@dataclass(frozen=True, kw_only=True)
class BlackHole:
    """Accepts and swallows, never answers, and tells neither side of the other's end."""


@dataclass(frozen=True, kw_only=True)
class HalfOpen:
    """One side is gone: it gets a reset, the other hears nothing, and a reset at its first bytes when that is over.

    Upstream gone: a server's machine that vanished. Client gone: a server keeps the session, with what it holds.
    """

    gone: Side = Side.UPSTREAM


@dataclass(frozen=True, kw_only=True)
class Reset:
    """RST to both sides: at once for the existing ones, after it was accepted for a new one."""


@dataclass(frozen=True, kw_only=True)
class Refuse:
    """Nobody listens. An existing connection, if reached, is reset as by a server that died."""


@dataclass(frozen=True, kw_only=True)
class LostReply:
    """A request goes through and is obeyed; the first bytes of its answer end the connection with a reset."""

    #: Only requests with these bytes, `COMMIT` for instance; empty: the next one, whatever it is.
    match: bytes = b""
    #: So many requests, over all connections; then all is carried.
    times: int = 1
    #: Before them so many such requests get their answers: to lose each reply in turn.
    skip: int = 0
    #: No reset either: the connection stays open, and silent.
    is_silent: bool = False


Way: TypeAlias = Pass | Latency | Trickle | Stall | BlackHole | HalfOpen | Reset | Refuse | LostReply
