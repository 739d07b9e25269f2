"""Ends the connection of a client that does not take what it is sent.

A connection counts as full from the moment the event loop holds more of it
than it wants to. What was written stays in memory until the client reads, and
whoever writes waits: both end here. It holds for every answer and every stream
alike, since it is the connection that is watched and not who writes to it.
"""

from __future__ import annotations

import asyncio
from typing import Any

import uvicorn

LEAST_BYTES = 16 * 1024


class StreamConfig(uvicorn.Config):
    """How the server runs, and how long a full connection is waited for.

    Attributes:
        stall_seconds: A client takes at least 16 KiB in this time, or it is cut off.
    """

    stall_seconds: float = 30.0


class Impatient(asyncio.Protocol):
    """A connection that is aborted when it has been full for too long."""

    config: Any  # a `StreamConfig`; the protocols declare the wider type
    transport: asyncio.Transport
    loop: asyncio.AbstractEventLoop
    _owed = 0
    _deadline_of_full: asyncio.TimerHandle | None = None

    @property
    def is_full(self) -> bool:
        """Whether the client is behind with reading."""
        return self._deadline_of_full is not None

    def pause_writing(self) -> None:
        """The connection is full."""
        super().pause_writing()
        self._stop_waiting()
        self._wait()

    def resume_writing(self) -> None:
        """The client has read."""
        self._stop_waiting()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._owed = self.transport.get_write_buffer_size()
        self._deadline_of_full = self.loop.call_later(self.config.stall_seconds, self._look)

    def _look(self) -> None:
        if self._owed - self.transport.get_write_buffer_size() >= LEAST_BYTES:
            self._wait()  # slow, and it reads
        else:
            self.transport.abort()

    def _stop_waiting(self) -> None:
        if self._deadline_of_full is not None:
            self._deadline_of_full.cancel()
            self._deadline_of_full = None
