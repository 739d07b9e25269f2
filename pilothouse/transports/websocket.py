"""WebSocket over one tail: the same frames, one message each; controls come upstream."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

from pilothouse.engine.segment import Gap, Segment
from pilothouse.engine.tail import Tail, Tails
from pilothouse.engine.watcher import Watcher
from pilothouse.transports.place import Place
from pilothouse.transports.push import Pusher
from pilothouse.transports.service import bye, gap, hello, reset, service_frame
from pilothouse.transports.sse import Receive, Send

Upstream = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]

HEARTBEAT = service_frame("heartbeat", {})
GOING_AWAY = 1001
NORMAL = 1000
MAX_UPSTREAM = 4096


async def serve_websocket(
    tails: Tails, run_id: str, place: Place, receive: Receive, send: Send, upstream: Upstream
) -> None:
    """Follow one run over an accepted WebSocket until it is over or the client leaves.

    Args:
        tails: The server's tails.
        run_id: The run.
        place: Where the client stands.
        receive: The ASGI channel.
        send: The ASGI channel.
        upstream: Takes a message of the client and gives the answer's frame.

    Raises:
        NotFound: No such run.
    """
    tail = await tails.enter(run_id)
    try:
        lost = await place.lost_in(tail)
        after = 0 if lost else place.after
        await send_text(send, hello(tail, after))
        if lost:
            await send_text(send, reset(tail, lost))
        pusher = SocketPusher(tail, after, send)
        pusher.wake()
        try:
            await _listen(receive, send, upstream)
        finally:
            pusher.close()
    finally:
        await tails.leave(tail)


class SocketPusher(Pusher):
    """Writes one text message per frame."""

    __slots__ = ("_send",)

    def __init__(self, tail: Tail, after: int, send: Send) -> None:
        super().__init__(tail, after)
        self._send = send

    async def put(self, segment: Segment, after: int) -> int:
        """One message each."""
        frames = segment.after(after)
        for frame in frames:
            if self.gone:
                break
            await send_text(self._send, frame)
        return after + len(frames)

    async def skip(self, lost: Gap) -> None:
        """A service frame."""
        await send_text(self._send, gap(self._tail.run_id, lost))

    async def keep_alive(self) -> None:
        """A service frame: JavaScript sees no pings."""
        await send_text(self._send, HEARTBEAT)

    async def end(self, *, over: bool) -> None:
        """Say `bye` when the server stops; close either way."""
        await farewell(self._send, self, over=over)


async def farewell(send: Send, watcher: Watcher, *, over: bool) -> None:
    """Say `bye` when the server stops; close either way, unless the client has left already."""
    try:
        if not over:
            await send_text(send, bye())
        await send({"type": "websocket.close", "code": NORMAL if over else GOING_AWAY})
    except (RuntimeError, OSError):
        watcher.gone = True  # the client closed first


async def _listen(receive: Receive, send: Send, upstream: Upstream) -> None:
    """Answer the client until it leaves or the stream has ended."""
    while (message := await receive())["type"] != "websocket.disconnect":
        answer = service_frame("answer", await _answer(message.get("text") or "", upstream))
        with contextlib.suppress(
            OSError, RuntimeError
        ):  # it has left, or the stream has ended: receive says so
            await send_text(send, answer)


async def _answer(text: str, upstream: Upstream) -> dict[str, Any]:
    try:
        asked = json.loads(text[:MAX_UPSTREAM])
        if not isinstance(asked, dict):
            raise ValueError("not an object")
    except (ValueError, RecursionError) as error:
        return {
            "error": {"code": "invalid", "message": f"message: {error}", "hint": 'Send {"control": "pause"}.'}
        }
    return await upstream(asked)


async def send_text(send: Send, frame: bytes) -> None:
    """Send one frame as one text message."""
    await send({"type": "websocket.send", "text": frame.decode()})
