"""Clients that behave badly: they ask over any transport, read nothing or little, and leave as they like."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from contextlib import suppress

Request = Callable[[str, int], str]
"""The path of a request, made of a run's id and a place in its log."""

STREAMS: dict[str, Request] = {
    "sse": lambda run, after: f"/api/runs/{run}/events?after={after}",
    "websocket": lambda run, after: f"/api/runs/{run}/ws?after={after}",
    "browser": lambda run, after: f"/api/stream?watch={run}:{after}",
    "browser socket": lambda run, after: f"/api/ws?watch={run}:{after}",
}
TRANSPORTS: dict[str, Request] = STREAMS | {
    "poll": lambda run, after: f"/api/runs/{run}/events?after={after}&limit=5000",
}
SMALL_BUFFER = 4096
CLOSE_FRAME = b"\x88\x80\x00\x00\x00\x00"


class Reader:
    """One raw connection that has asked for something.

    Args:
        port: Of a server on this machine.
        token: Bearer token.
        transport: One of `TRANSPORTS`.
        run: A run's id.
        after: A place in its log.
        buffer: Bytes that the kernel keeps for it; few, so that one who does not read is noticed.
    """

    def __init__(
        self, port: int, token: str, transport: str, run: str, after: int = 0, buffer: int = SMALL_BUFFER
    ) -> None:
        self.transport = transport
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.sock.settimeout(10)
        self.sock.connect(("127.0.0.1", port))
        head = [
            f"GET {TRANSPORTS[transport](run, after)} HTTP/1.1",
            f"Host: 127.0.0.1:{port}",
            f"Authorization: Bearer {token}",
        ]
        if "socket" in transport:
            head += [
                "Connection: Upgrade",
                "Upgrade: websocket",
                "Sec-WebSocket-Version: 13",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            ]
        elif transport != "poll":
            head.append("Accept: text/event-stream")
        self.sock.sendall("\r\n".join([*head, "", ""]).encode())

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def answered(self) -> bytes:
        """The first bytes of the answer."""
        return self.sock.recv(1024)

    def reset(self) -> None:
        """Leave without a word: the server's next packet is refused."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self) -> None:
        """Leave as one should."""
        with suppress(OSError):
            if "socket" in self.transport:
                self.sock.sendall(CLOSE_FRAME)
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def is_cut_off(self, seconds: float) -> bool:
        """Read what is there; whether the server cut the connection within so many seconds."""
        self.sock.settimeout(seconds)
        try:
            while self.sock.recv(65536):
                pass
        except TimeoutError:
            return False
        except OSError:
            pass
        return True
