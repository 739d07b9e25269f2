"""An autotune on a backend that measures by arithmetic, for tests of its loop."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pilothouse.kinds.autotune import KIND
from pilothouse.kinds.autotune.backend import DeterministicBackend
from pilothouse.kinds.autotune.job import Autotune
from pilothouse.kinds.autotune.params import Params
from pilothouse.kinds.autotune.space import Point
from pilothouse.sdk.handle import RunHandle
from tests.kinds.attempts import Attempts
from tests.sdk.link_server import LinkServer

SPACE = [{"name": "a", "values": [1, 2, 3]}, {"name": "b", "values": [1, 2]}]


@pytest.fixture
def attempts(server: LinkServer, tmp_path: Path) -> Iterator[Attempts]:
    attempts = Attempts(server, tmp_path, KIND.validate)
    yield attempts
    attempts.close()


def params(**more: Any) -> dict[str, Any]:
    load = {"concurrencies": [1], "requests": 6, "warmup": 0}
    return {"space": SPACE, "strategy": "grid", "objectives": ["latency"], "load": load, **more}


def cost(point: Point) -> float:
    """Milliseconds of a token: best at a=2, b=1."""
    return 10 + 10 * abs(float(point["a"]) - 2) + float(point.get("b", 1))


def perform(handle: RunHandle, backend: DeterministicBackend | None = None) -> DeterministicBackend:
    checked = Params.model_validate(handle.params)
    backend = backend or DeterministicBackend(cost, params=checked)
    backend._params = checked
    try:
        Autotune(handle, checked, backend).run()
        handle.settle()
    finally:
        handle._link.flush(30)
    return backend


def rows(server: LinkServer) -> dict[str, Any]:
    return {body.key: body for body in server.bodies("item.finished")}


def notes(server: LinkServer, feed: str) -> list[str]:
    return [body.text for body in server.bodies("note") if body.feed == feed]
