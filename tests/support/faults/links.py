"""One connection through the proxy: a client's end, an upstream's end, and the way that lies between them."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from support.faults.ways import BlackHole, HalfOpen, Latency, LostReply, Refuse, Reset, Side, Stall, Trickle, Way

#: Bytes of one read.
CHUNK_BYTES = 65_536
#: Pieces of a trickle in a second: slow, not in bursts.
PIECES_PER_SECOND = 10
#: On, for 0 seconds: closing resets (man 7 socket, SO_LINGER).
LINGER_ZERO = struct.pack("ii", 1, 0)


@dataclass
class Tally:
    """What happened on one route; written by the proxy's thread, read by any."""

    accepted: int = 0
    resets: int = 0
    carried_bytes: int = 0
    swallowed_bytes: int = 0
    lost_replies: int = 0
    #: Of the present `LostReply`.
    replies_to_lose: int = 0
    requests_to_skip: int = 0

    def is_due(self) -> bool:
        """Counts a matching request; says whether its reply is one to lose."""
        if self.requests_to_skip > 0:
            self.requests_to_skip -= 1
            return False
        self.replies_to_lose -= 1
        return True


@dataclass(frozen=True)
class End:
    """Our end of one of the two connections."""

    reader: StreamReader
    writer: StreamWriter

    def reset(self) -> None:
        if self.writer.transport.is_closing():
            return
        with suppress(OSError):  # The peer was faster.
            self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
        self.writer.transport.abort()

    def finish(self) -> None:
        """No more bytes from here on, as the peer of the other end said."""
        if not self.writer.transport.is_closing() and self.writer.can_write_eof():
            self.writer.write_eof()


class Link:
    """Carries what `way` lets through; `switch` changes it at any time."""

    def __init__(self, ends: Mapping[Side, End], way: Way, tally: Tally, dice: random.Random) -> None:
        self._ends = ends
        self._way = way
        self._tally = tally
        self._dice = dice
        self._changed = asyncio.Event()
        #: Bytes were swallowed or a side is gone: what follows makes no sense to whom it reaches.
        self._has_hole = False
        self._gone: Side | None = None
        #: A request was let through whose answer is to be lost.
        self._loses_reply = False
        #: The end of the last chunk of the client, for a match that lies across two.
        self._tail = b""

    async def run(self) -> None:
        """Until both sides have ended, or one was reset."""
        try:
            self.switch(self._way)
            await asyncio.gather(self._pump(Side.CLIENT), self._pump(Side.UPSTREAM))
        finally:
            for end in self._ends.values():
                end.writer.close()

    def switch(self, way: Way) -> None:
        self._way = way
        self._changed.set()
        self._changed = asyncio.Event()
        if isinstance(way, Reset | Refuse):
            self.reset()
        elif isinstance(way, HalfOpen):
            self._has_hole = True
            self._gone = way.gone
            self._ends[way.gone].reset()

    def reset(self) -> None:
        self._tally.resets += 1
        for end in self._ends.values():
            end.reset()

    async def _pump(self, side: Side) -> None:
        """From this side to the other."""
        source, target = self._ends[side], self._ends[side.other]
        try:
            while chunk := await source.reader.read(CHUNK_BYTES):
                await self._carry(side, chunk)
            await self._tell(side, target, End.finish)
        except OSError:
            await self._tell(side, target, End.reset)

    async def _carry(self, side: Side, chunk: bytes) -> None:
        while chunk:
            way = self._way
            if isinstance(way, BlackHole | HalfOpen):
                return self._swallow(chunk)
            if self._has_hole:
                return self.reset()
            if isinstance(way, Stall):
                await self._changed.wait()
            elif isinstance(way, Trickle):
                chunk = await self._trickle(side, chunk, way)
            elif isinstance(way, Latency):
                chunk = await self._delay(side, chunk, way)
            elif not self._is_lost(side, chunk):
                await self._write(side, chunk)
                return None
            else:
                return self._lose(chunk)
        return None

    async def _delay(self, side: Side, chunk: bytes, way: Latency) -> bytes:
        """What is left to be carried, and by another way: all, if that has changed meanwhile."""
        if await self._passes(way.seconds + way.jitter_seconds * self._dice.random()):
            await self._write(side, chunk)
            return b""
        return chunk

    async def _trickle(self, side: Side, chunk: bytes, way: Trickle) -> bytes:
        """What is left; at least a byte is carried."""
        size = max(1, way.bytes_per_second // PIECES_PER_SECOND)
        await self._write(side, chunk[:size])
        await self._passes(size / way.bytes_per_second)
        return chunk[size:]

    async def _passes(self, seconds: float) -> bool:
        """Whether so long went by without a switch."""
        try:
            await asyncio.wait_for(self._changed.wait(), seconds)
        except TimeoutError:
            return True
        return False

    async def _write(self, side: Side, chunk: bytes) -> None:
        writer = self._ends[side.other].writer
        writer.write(chunk)
        self._tally.carried_bytes += len(chunk)
        await writer.drain()

    async def _tell(self, ended: Side, target: End, how: Callable[[End], None]) -> None:
        """The other side, once the way lets it be told; of one that is gone it never hears."""
        while isinstance(self._way, BlackHole | HalfOpen | Stall):
            await self._changed.wait()
        if ended is not self._gone:
            (End.reset if self._has_hole else how)(target)

    def _swallow(self, chunk: bytes) -> None:
        self._has_hole = True
        self._tally.swallowed_bytes += len(chunk)

    def _is_lost(self, side: Side, chunk: bytes) -> bool:
        """Notes a request whose reply will be; says whether this is that reply."""
        if side is Side.UPSTREAM:
            return self._loses_reply
        way = self._way
        if isinstance(way, LostReply) and self._tally.replies_to_lose > 0 and not self._loses_reply:
            seen, self._tail = self._tail + chunk, chunk[-(len(way.match) - 1) :] if len(way.match) > 1 else b""
            self._loses_reply = way.match in seen and self._tally.is_due()
        return False

    def _lose(self, chunk: bytes) -> None:
        self._tally.lost_replies += 1
        if isinstance(self._way, LostReply) and self._way.is_silent:
            self.switch(BlackHole())
            self._swallow(chunk)
        else:
            self.reset()
