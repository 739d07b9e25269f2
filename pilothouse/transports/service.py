"""Service frames: what a stream says beside the facts of the log. They carry no id and no `seq`."""

from __future__ import annotations

from secrets import randbelow
from typing import Any

from pydantic_core import to_json

from pilothouse.clock import now
from pilothouse.engine.segment import Gap
from pilothouse.engine.tail import Tail

RETRY_LEAST_MS = 250
RETRY_MOST_MS = 3_000


def service_frame(type_: str, data: dict[str, Any], run_id: str | None = None) -> bytes:
    """One frame as JSON on one line."""
    frame: dict[str, Any] = {"type": type_, "data": data}
    if run_id is not None:
        frame["run_id"] = run_id
    return to_json(frame)


def hello(tail: Tail, resumed_from: int) -> bytes:
    """The first frame for a watched run."""
    data = {"resumed_from": resumed_from, "head": tail.head, "epoch": tail.epoch, "server_time": now()}
    return service_frame("hello", data, tail.run_id)


def reset(tail: Tail, reason: str) -> bytes:
    """The log is not the one the client knew."""
    return service_frame("reset", {"reason": reason}, tail.run_id)


def gap(run_id: str, lost: Gap) -> bytes:
    """Events are gone."""
    return service_frame("gap", gap_data(lost), run_id)


def gap_data(lost: Gap) -> dict[str, Any]:
    """Which events are gone, both ends included, and why."""
    return {"from": lost.first, "to": lost.last, "reason": "trimmed"}


def retry_ms() -> int:
    """When to come back, in milliseconds: another time for each client, so that they do not come at once."""
    return RETRY_LEAST_MS + randbelow(RETRY_MOST_MS - RETRY_LEAST_MS)


def bye() -> bytes:
    """The server stops, or cannot read its store."""
    return service_frame("bye", {"retry_ms": retry_ms()})


def sse(frame: bytes) -> bytes:
    """A service frame as a server-sent event."""
    return b"data: " + frame + b"\n\n"


def sse_opening(frames: bytes) -> bytes:
    """The first piece of a stream: when an `EventSource` comes back, should the server vanish."""
    return b"retry: %d\n" % retry_ms() + frames
