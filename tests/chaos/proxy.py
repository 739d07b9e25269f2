"""A TCP proxy that does to connections what networks do: it refuses, cuts, stalls and splits them.

What happens to the n-th connection follows from the seed and n alone, so a failure
can be repeated. The proxy lives in a thread of its own.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from types import TracebackType

RESET = struct.pack("ii", 1, 0)
CHUNK = 16 * 1024
CLOSING_TURNS = 5


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one connection.

    Attributes:
        kind: `refuse`, `cut`, `reset`, `stall`, `vanish` or `spare`.
        after: So many bytes of the answer come through first.
        piece: The answer is handed on in pieces of at most so many bytes.
        seconds: How long a stall lasts; it is cut afterwards.
    """

    kind: str
    after: int = 0
    piece: int = CHUNK
    seconds: float = 0.0


def fate_of(seed: int, number: int) -> Fate:
    """The fate of the n-th connection."""
    chance = Random(f"{seed}-{number}")
    kind = chance.choices(["refuse", "cut", "reset", "stall", "vanish", "spare"], [12, 30, 25, 10, 3, 20])[0]
    after = int(10 ** chance.uniform(1, 5.3))
    piece = chance.choice([CHUNK, CHUNK, 1_460, 97, 7])
    return Fate(kind, after, piece, chance.uniform(0.05, 0.6))


class Proxy:
    """Stands between clients and a server on this machine.

    Args:
        target: The server's port.
        seed: Of all that happens.

    Attributes:
        port: Where it listens.
        did: How often what was done, and the bytes that came through.
    """

    def __init__(self, target: int, seed: int) -> None:
        self.port = 0
        self.did: Counter[str] = Counter()
        self._target = target
        self._seed = seed
        self._number = 0
        self._open: set[asyncio.Task[None]] = set()
        self._is_fair = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Proxy:
        ready = threading.Event()
        self._loop.call_soon(lambda: self._loop.create_task(self._listen(ready)))
        self._thread.start()
        assert ready.wait(10), "the proxy does not start"
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def be_fair(self) -> None:
        """Do nothing to the connections that come from now on."""
        self._is_fair = True

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    async def _listen(self, ready: threading.Event) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=CHUNK)
        self.port = self._server.sockets[0].getsockname()[1]
        ready.set()

    async def _close(self) -> None:
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        for _ in range(CLOSING_TURNS):  # a transport lets go of its socket a turn after it was told to
            await asyncio.sleep(0)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        fate = Fate("spare", 1 << 62) if self._is_fair else fate_of(self._seed, self._number)
        self._number += 1
        self.did["connections"] += 1
        self.did[fate.kind] += 1
        self.did["split"] += fate.piece < CHUNK
        try:
            if fate.kind != "refuse":
                await self._carry(reader, writer, fate)
        except (OSError, EOFError):
            self.did["server away"] += 1
        finally:
            self._open.discard(task)
            if fate.kind in {"refuse", "reset"}:
                _reset(writer)
            writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, fate: Fate) -> None:
        """Hand on both directions until one side leaves or the fate is fulfilled."""
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._target, limit=CHUNK)
        up = asyncio.create_task(_forward(reader, up_writer))
        down = asyncio.create_task(self._answer(up_reader, writer, fate))
        try:
            await asyncio.wait([up, down], return_when=asyncio.FIRST_COMPLETED)
            if down.done() and down.exception() is None and down.result():
                await self._stand_still(up, fate)
        finally:
            for task in (up, down):
                task.cancel()
            await asyncio.gather(up, down, return_exceptions=True)
            up_writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, fate: Fate) -> bool:
        """Hand on the answer; True when the fate strikes before its end."""
        left = fate.after if fate.kind != "spare" else 1 << 62
        while left > 0:
            data = await reader.read(min(fate.piece, left))
            if not data:
                return False
            left -= len(data)
            self.did["bytes"] += len(data)
            writer.write(data)
            await writer.drain()
        return True

    async def _stand_still(self, up: asyncio.Task[None], fate: Fate) -> None:
        """Hand on nothing more, for a while or until the client gives up."""
        if fate.kind == "stall":
            await asyncio.sleep(fate.seconds)
        elif fate.kind == "vanish":
            await asyncio.wait([up])


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with a RST instead of a FIN."""
    with suppress(OSError):
        sock: socket.socket = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()
