"""A script's part in a run, from the first line of its block to the last."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from pilothouse.sdk.handle import RunHandle
from pilothouse.sdk.link import Link, State
from pilothouse.sdk.signals import Cancelled, CutOff, Fenced

EXIT_CANCELLED = 4
EXIT_CUT_OFF = 5
FLUSH_SECONDS = 600.0


class Stopped(Cancelled, SystemExit):
    """Ends the script quietly after a cancel: a `Cancelled` that sets the exit code."""


class Session(Protocol):
    """A script's part in a run."""

    def open(self) -> RunHandle:
        """Begin."""

    def close(self, error: BaseException | None) -> BaseException | None:
        """End, by an error or without one. What is returned is raised instead of it."""


def make_handle(link: Link, given: Mapping[str, Any], params: dict[str, Any], folder: Path) -> RunHandle:
    """The handle of an assignment."""
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


def state_of(run: Mapping[str, Any]) -> State:
    """The state of a run's controls, as its snapshot says."""
    request = run["request"] or {}
    return State(run["status"], run["pending"], request.get("strength") or run["strength"])


def settled(handle: RunHandle, error: BaseException | None) -> BaseException | None:
    """The block's end: the error that ended it, or what came up while its last items were waited for."""
    try:
        handle.settle(error)
    except (Cancelled, Fenced, CutOff) as reason:
        return reason
    return error


def tell(text: str) -> None:
    """One line to the user."""
    with suppress(OSError, ValueError, AttributeError):
        (sys.__stderr__ or sys.stderr).write(f"pilothouse: {text}\n")
