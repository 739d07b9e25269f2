"""Answers as small as the client can read them: JSON and text of one piece, with gzip.

Streams pack themselves, file by file they are packed once (`static.py`), and what is
sent piece by piece, such as an artifact with its ranges, is left as it is. The cookie
is never sent from another site, so nobody can guess at a secret by the size of an answer.
"""

from __future__ import annotations

import asyncio
import zlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LEAST_BYTES = 1024
BESIDE_BYTES = 64 * 1024
LEVEL = 1  # JSON becomes a twelfth; the best level makes it a sixteenth, in six times the time
KINDS = ("application/json", "text/")


class Gzip:
    """Packs the answers of an app."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and takes_gzip(scope) and not _is_stream(scope):
            send = _Packing(send).send
        await self._app(scope, receive, send)


class _Packing:
    """Holds the head of an answer back until its body is known."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._head: Message | None = None

    async def send(self, message: Message) -> None:
        """Hand a message on."""
        if message["type"] == "http.response.start":
            self._head = message
            return
        if (head := self._head) is not None:
            self._head = None
            if _is_worth_it(head, message):
                message = {**message, "body": await packed(message["body"])}
                headers = MutableHeaders(raw=head["headers"])
                headers["content-length"] = str(len(message["body"]))
                headers["content-encoding"] = "gzip"
                headers.add_vary_header("accept-encoding")
            await self._send(head)
        await self._send(message)


def takes_gzip(scope: Scope) -> bool:
    """Whether the client says that it can read gzip."""
    for part in Headers(scope=scope).get("accept-encoding", "").split(","):
        name, _, weight = part.partition(";")
        if name.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


async def packed(body: bytes, level: int = LEVEL) -> bytes:
    """A body with gzip; a long one is packed beside the event loop."""
    if len(body) < BESIDE_BYTES:
        return pack(body, level)
    return await asyncio.to_thread(pack, body, level)


def pack(body: bytes, level: int) -> bytes:
    """The same here and now."""
    return zlib.compress(body, level, zlib.MAX_WBITS + 16)


def _is_stream(scope: Scope) -> bool:
    return "text/event-stream" in Headers(scope=scope).get("accept", "")


def _is_worth_it(head: Message, message: Message) -> bool:
    headers = Headers(raw=head["headers"])
    return (
        not message.get("more_body")
        and len(message.get("body", b"")) >= LEAST_BYTES
        and headers.get("content-type", "").startswith(KINDS)
        and "content-encoding" not in headers
        and "content-range" not in headers
    )
