"""A script's part in a run, from the first line of its block to the last."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Protocol

from pilothouse.sdk.handle import RunHandle
from pilothouse.sdk.signals import Cancelled, CutOff, Fenced, Released

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


def settled(handle: RunHandle, error: BaseException | None) -> BaseException | None:
    """The block's end: the error that ended it, or what came up while its last items were waited for."""
    try:
        handle.settle(error)
    except (Cancelled, Released, Fenced, CutOff) as reason:
        return reason
    return error


def tell(text: str) -> None:
    """One line to the user."""
    with suppress(OSError, ValueError, AttributeError):
        (sys.__stderr__ or sys.stderr).write(f"pilothouse: {text}\n")
