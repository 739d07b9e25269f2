"""Attempts of a synthesis, and small tables. Nothing here imports torch: most tests need none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pilothouse.kinds.synthesis.backend import Backend, DeterministicBackend
from pilothouse.kinds.synthesis.params import Params
from pilothouse.kinds.synthesis.synthesis import Synthesis
from pilothouse.kinds.synthesis.table import Table, checked, columns_of
from pilothouse.sdk.handle import RunHandle
from tests.sdk.link_server import LinkServer

Begin = Callable[..., RunHandle]


@pytest.fixture
def begin(begin: Begin) -> Begin:
    """Begins the next attempt, without params that of the same run."""

    def begun(params: dict[str, Any] | None = None, folder: Path | None = None) -> RunHandle:
        return begin(params, Params, folder)

    return begun


def perform(handle: RunHandle, backend: Backend | None = None) -> None:
    """One attempt, in this thread."""
    try:
        chosen = backend or DeterministicBackend()
        Synthesis(handle, Params.model_validate(handle.params), chosen).run()
        handle.settle()
    finally:
        handle._link.flush(30)


def records(rows: int = 120, seed: int = 3) -> list[dict[str, Any]]:
    """Rows with a number, a number that follows from it, and a category that does."""
    dice = np.random.default_rng(seed)
    sizes = dice.normal(50, 10, rows)
    return [
        {
            "size": round(float(size), 2),
            "weight": round(float(2 * size + dice.normal(0, 4)), 2),
            "kind": "large" if size > 55 else "small" if size < 45 else "medium",
        }
        for size in sizes
    ]


def a_table(rows: int = 120, **more: list[Any]) -> Table:
    """The table of these rows, with further columns."""
    return checked("rows", columns_of(records(rows)) | more)


def items(server: LinkServer) -> dict[str, Any]:
    """Finished items by key."""
    return {body.key: body for body in server.bodies("item.finished")}


def notes(server: LinkServer, feed: str) -> list[str]:
    """What the activity feed tells."""
    return [body.text for body in server.bodies("note") if body.feed == feed]
