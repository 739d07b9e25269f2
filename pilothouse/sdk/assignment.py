"""What the server hands out with an attempt, and the handle that is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pilothouse.sdk.handle import RunHandle
from pilothouse.sdk.link import Link
from pilothouse.sdk.wire import Wire, call

ANSWER_SECONDS = 30.0
# what names the attempt that a process belongs to
VARIABLES = (
    "PILOTHOUSE_SERVER",
    "PILOTHOUSE_TOKEN",
    "PILOTHOUSE_RUN_ID",
    "PILOTHOUSE_ATTEMPT",
    "PILOTHOUSE_FOLDER",
)


def fetch(server: str, token: str, run_id: str, attempt: int, patience_seconds: float) -> dict[str, Any]:
    """An attempt's assignment, asked for again while the server is away.

    Raises:
        LeaseLost: The attempt is no longer the run's.
        PilothouseError: The server refuses, or was away for longer than `patience_seconds`.
    """
    path = f"/api/runs/{run_id}/assignment?attempt={attempt}"
    wire = Wire(server, token, ANSWER_SECONDS)
    return call(wire, "GET", path, patience_seconds=patience_seconds).json()


def make_handle(link: Link, given: Mapping[str, Any], params: dict[str, Any], folder: Path) -> RunHandle:
    """The handle of an assignment.

    Args:
        link: The attempt's link.
        given: The assignment, completed by what earlier processes left behind.
        params: What job code sees as `run.params`.
        folder: The run's folder.
    """
    run = given["run"]
    return RunHandle(
        link,
        id=run["id"],
        name=run["name"],
        attempt=run["attempt"],
        params=params,
        folder=folder,
        saved_state=given["saved_state"],
        finished=given["finished"],
        in_flight=given.get("in_flight", ()),
        root=given.get("root"),
    )
