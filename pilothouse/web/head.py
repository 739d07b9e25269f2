"""HTTP as the server speaks it, with a limit on the head of a request in bytes and in seconds.

The parser underneath keeps whatever it is sent until the head is complete, and
waits for it for ever; who may come in is decided only after that.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pilothouse.web.stall import Impatient

MAX_HEAD = 64 * 1024
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class BoundedHttp(Impatient, HttpToolsProtocol):
    """Closes a connection whose request head is too long or takes too long, or that is full for too long.

    Attributes:
        head_seconds: How long a client may take to say what it wants.
    """

    head_seconds = 20.0
    _head_bytes = 0
    _is_in_head = False
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody connects; the first head is awaited."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(self.head_seconds, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._end_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came; what is still head after it counts."""
        super().data_received(data)
        if not self._is_in_head:
            return
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD and not self.transport.is_closing():
            if self.cycle is None or self.cycle.response_complete:
                self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        """The first byte of a head."""
        self._end_head()
        self._is_in_head, self._head_bytes = True, 0
        self._deadline = self.loop.call_later(self.head_seconds, self.transport.close)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._end_head()
        super().on_headers_complete()

    def timeout_keep_alive_handler(self) -> None:
        """A client that rests is sent away; one that has not read its answer is cut off."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    def _end_head(self) -> None:
        self._is_in_head = False
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
