"""Server-sent events over one tail, as a plain ASGI callable.

What a watcher costs is one place and the task that waits for it to leave.
After each write it takes everything that came meanwhile, one segment at a
time, so a slow reader makes its own batches and holds up nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from pilothouse.engine.segment import Gap, Segment
from pilothouse.engine.tail import Tail, Tails
from pilothouse.engine.watcher import Watcher
from pilothouse.transports.place import Place
from pilothouse.transports.push import Pusher
from pilothouse.transports.service import bye, gap, hello, reset, sse, sse_opening

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
    tail = await tails.enter(run_id)
    try:
        lost = await place.lost_in(tail)
        after = 0 if lost else place.after
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        opening = sse(hello(tail, after)) + (sse(reset(tail, lost)) if lost else b"")
        await write(send, sse_opening(opening))
        pusher = SsePusher(tail, after, send)
        pusher.wake()
        try:
            await disconnected(receive)  # also when the stream has ended
        finally:
            pusher.close()
    finally:
        await tails.leave(tail)


class SsePusher(Pusher):
    """Writes server-sent events."""

    __slots__ = ("_send",)

    def __init__(self, tail: Tail, after: int, send: Send) -> None:
        super().__init__(tail, after)
        self._send = send

    async def put(self, segment: Segment, after: int) -> int:
        """A piece of the response's body, shared by all watchers at this place."""
        last, body = segment.sse_after(after)
        await self._send({"type": "http.response.body", "body": body, "more_body": True})
        return last

    async def skip(self, lost: Gap) -> None:
        """A service frame."""
        await write(self._send, sse(gap(self._tail.run_id, lost)))

    async def keep_alive(self) -> None:
        """A comment."""
        await write(self._send, HEARTBEAT)

    async def end(self, *, over: bool) -> None:
        """The last piece."""
        await write(self._send, b"" if over else sse(bye()), more=False)


async def write(send: Send, body: bytes, *, more: bool = True) -> None:
    """Send a piece of the response's body; returns when the connection takes more."""
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def disconnected(receive: Receive) -> None:
    """Return when the client has gone, over HTTP or a WebSocket: the server's `send` does not say so."""
    while not (await receive())["type"].endswith(".disconnect"):
        pass


class Listening:
    """Tells a watcher when its client leaves, for as long as the block lasts."""

    __slots__ = ("_receive", "_task", "_watcher")

    def __init__(self, receive: Receive, watcher: Watcher) -> None:
        self._receive = receive
        self._watcher = watcher

    async def __aenter__(self) -> None:
        self._task = asyncio.create_task(self._listen())

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()

    async def _listen(self) -> None:
        await disconnected(self._receive)
        self._watcher.leave()
