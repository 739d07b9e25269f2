"""Server-sent events over one tail, as a plain ASGI callable.

What a watcher costs is one place and one sleeping task. After each write it
takes everything that came meanwhile, one segment at a time, so a slow reader
makes its own batches and holds up nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import aclosing
from typing import Any

from pilothouse.engine.tail import Tails
from pilothouse.engine.watcher import Watcher
from pilothouse.transports.follow import Batch, Gap, follow
from pilothouse.transports.place import Place
from pilothouse.transports.service import BYE, gap, hello, reset, sse

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

HEARTBEAT = b": hb\n\n"
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store, no-transform"),
    (b"x-accel-buffering", b"no"),
]


async def serve_sse(tails: Tails, run_id: str, place: Place, receive: Receive, send: Send) -> None:
    """Follow one run until it is over or the client leaves.

    Raises:
        NotFound: No such run; nothing has been sent then.
    """
    async with tails.follow(run_id) as tail, Listening(receive) as watcher:
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        lost = await place.lost(tail)
        after = 0 if lost else place.after
        await write(send, sse(hello(tail, after)) + (sse(reset(tail, lost)) if lost else b""))
        async with aclosing(follow(tail, watcher, after)) as batches:
            async for batch in batches:
                match batch:
                    case Batch():
                        await write(send, batch.sse())
                    case Gap():
                        await write(send, sse(gap(tail, batch.first, batch.last)))
                    case None:
                        await write(send, HEARTBEAT)
        await write(send, b"" if tail.over else sse(BYE), more=False)


async def write(send: Send, body: bytes, *, more: bool = True) -> None:
    """Send a piece of the response's body; returns when the connection takes more."""
    await send({"type": "http.response.body", "body": body, "more_body": more})


class Listening:
    """Gives a watcher that notices when its client leaves: the server's `send` does not say so."""

    __slots__ = ("_receive", "_task", "watcher")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.watcher = Watcher()

    async def __aenter__(self) -> Watcher:
        self._task = asyncio.create_task(self._listen())
        return self.watcher

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()

    async def _listen(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.watcher.leave()
