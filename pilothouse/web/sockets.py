"""WebSockets as the server speaks them: a client that does not read cannot make it hold anything."""

from __future__ import annotations

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from pilothouse.web.stall import Impatient


class BoundedSocket(Impatient, WebSocketsSansIOProtocol):
    """Aborts a full connection in time, and answers no pings into one."""

    def handle_ping(self) -> None:
        """A pong, unless those before it have not been read yet."""
        if self.is_full:
            self.conn.data_to_send()
        else:
            super().handle_ping()
