"""Service frames: what a stream says beside the facts of the log. They carry no id and no `seq`."""

from __future__ import annotations

from typing import Any

from pydantic_core import to_json

from pilothouse.clock import now
from pilothouse.engine.tail import Tail

BYE_RETRY_MS = 1_000


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


def gap(tail: Tail, first: int, last: int) -> bytes:
    """Events `first` … `last` are gone."""
    return service_frame("gap", {"from": first, "to": last, "reason": "trimmed"}, tail.run_id)


BYE = service_frame("bye", {"retry_ms": BYE_RETRY_MS})


def sse(frame: bytes) -> bytes:
    """A service frame as a server-sent event."""
    return b"data: " + frame + b"\n\n"
