"""What the dialects' event streams share: their heartbeat, and how their messages are written."""

from __future__ import annotations

import asyncio
from typing import Any

from pydantic_core import to_json

from pilothouse.engine.watcher import Watcher
from pilothouse.transports.sse import HEARTBEAT

HEARTBEAT_SECONDS = 30.0


class Pulse:
    """The document's heartbeat: a message every 30 seconds, beside the server's own.

    Attributes:
        is_due: It is time for one.
    """

    def __init__(self, watcher: Watcher, seconds: float) -> None:
        self.is_due = False
        self._watcher = watcher
        self._seconds = seconds

    async def beat(self) -> None:
        """Say when it is time, until cancelled."""
        while True:
            await asyncio.sleep(self._seconds)
            self.is_due = self._watcher.beat = True
            self._watcher.wake()

    def take(self) -> bool:
        """Whether one is due; it is due once."""
        was_due, self.is_due = self.is_due, False
        return was_due


def sse(messages: list[dict[str, Any]]) -> bytes:
    """Messages as server-sent events; without any, a comment that keeps the connection."""
    if not messages:
        return HEARTBEAT
    return b"".join(b"data: " + to_json(message, inf_nan_mode="strings") + b"\n\n" for message in messages)
