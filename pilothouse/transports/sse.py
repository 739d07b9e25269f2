"""Server-sent events over one tail, as a plain ASGI callable.

What a watcher costs is one place and one sleeping task. After each write it
takes everything that came meanwhile, one segment at a time, so a slow reader
makes its own batches and holds up nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from pilothouse.engine.tail import Tail, Tails
from pilothouse.engine.watcher import Watcher
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
    async with tails.follow(run_id) as tail, listening(receive) as watcher:
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        lost = place.lost(tail)
        after = 0 if lost else place.after
        opening = sse(hello(tail, after)) + (sse(reset(tail, lost)) if lost else b"")
        await write(send, opening)
        await _follow(tail, watcher, after, send)
        await write(send, sse(BYE) if not tail.over else b"", more=False)


async def _follow(tail: Tail, watcher: Watcher, after: int, send: Send) -> None:
    try:
        while not watcher.gone:
            if after < tail.head:
                segment = tail.ready(after) or await tail.segment(after)
                if segment.last <= after:
                    await write(send, sse(gap(tail, after + 1, segment.first + 255)))
                    after = segment.first + 255
                    continue
                chunk, last = segment.sse_after(after), segment.last
                await write(send, chunk)
                after = last
                continue
            if tail.over:
                return
            await watcher.wait(tail)
            if watcher.beat:
                watcher.beat = False
                if after >= tail.head:
                    await write(send, HEARTBEAT)
    finally:
        tail.forget(watcher)


async def write(send: Send, body: bytes, *, more: bool = True) -> None:
    """Send a piece of the response's body; returns when the connection takes more."""
    await send({"type": "http.response.body", "body": body, "more_body": more})


class listening:
    """Notices that the client has left: the server's `send` does not say so."""

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
