"""WebSocket over one tail: the same frames, one message each; controls come upstream."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

from pilothouse.engine.tail import Tail, Tails
from pilothouse.engine.watcher import Watcher
from pilothouse.transports.follow import Batch, Gap, follow
from pilothouse.transports.place import Place
from pilothouse.transports.service import BYE, gap, hello, reset, service_frame
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
    async with tails.follow(run_id) as tail:
        watcher = Watcher()
        listener = asyncio.create_task(_listen(watcher, receive, send, upstream))
        try:
            lost = await place.lost(tail)
            after = 0 if lost else place.after
            await send_text(send, hello(tail, after))
            if lost:
                await send_text(send, reset(tail, lost))
            await _follow(tail, watcher, after, send)
            await farewell(send, watcher, over=tail.over)
        finally:
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)


async def _follow(tail: Tail, watcher: Watcher, after: int, send: Send) -> None:
    async with aclosing(follow(tail, watcher, after)) as batches:
        async for batch in batches:
            match batch:
                case Batch():
                    frames = batch.frames()
                case Gap():
                    frames = [gap(tail, batch.first, batch.last)]
                case None:
                    frames = [HEARTBEAT]
            for frame in frames:
                if watcher.gone:
                    return
                await send_text(send, frame)


async def farewell(send: Send, watcher: Watcher, *, over: bool) -> None:
    """Say `bye` when the server stops; close either way, unless the client has left already."""
    try:
        if not over:
            await send_text(send, BYE)
        await send({"type": "websocket.close", "code": NORMAL if over else GOING_AWAY})
    except (RuntimeError, OSError):
        watcher.gone = True  # the client closed first


async def _listen(watcher: Watcher, receive: Receive, send: Send, upstream: Upstream) -> None:
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            watcher.leave()
            return
        text = message.get("text") or ""
        await send_text(send, service_frame("answer", await _answer(text, upstream)))


async def _answer(text: str, upstream: Upstream) -> dict[str, Any]:
    try:
        asked = json.loads(text[:MAX_UPSTREAM])
        if not isinstance(asked, dict):
            raise ValueError("not an object")
    except ValueError as error:
        return {
            "error": {"code": "invalid", "message": f"message: {error}", "hint": 'Send {"control": "pause"}.'}
        }
    return await upstream(asked)


async def send_text(send: Send, frame: bytes) -> None:
    """Send one frame as one text message."""
    await send({"type": "websocket.send", "text": frame.decode()})
