"""SIGTERM unwinds a script, so that its `finally` blocks run and its run is told how it ended."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType

from pilothouse.sdk.signals import Cancelled

EXIT_TERMINATED = 143


class Terminated(Cancelled):
    """Unwinds the block after a SIGTERM."""


def unwind_on_sigterm() -> Callable[[], None]:
    """Have the first SIGTERM raise `Terminated` in the main thread; returns what ends that.

    A script that handles the signal itself goes on doing so.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        return lambda: None

    def unwind(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once; SIGKILL is the limit
        raise Terminated

    signal.signal(signal.SIGTERM, unwind)
    return lambda: _restore(unwind)


def _restore(unwind: Callable[[int, FrameType | None], None]) -> None:
    if signal.getsignal(signal.SIGTERM) in (unwind, signal.SIG_IGN):
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
