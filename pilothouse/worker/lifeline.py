"""What the job's own process does about a lost attempt, about SIGTERM, and when its stack is asked for.

The end of the host is the shim's business.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import threading
from pathlib import Path
from types import FrameType

from pilothouse.sdk.link import Link
from pilothouse.sdk.signals import Cancelled

EXIT_FENCED = 4
FENCED_GRACE_SECONDS = 2.0


def dump_on_request(path: Path) -> None:
    """Let SIGUSR1 append every thread's stack to a file.

    The interpreter's own handler writes it, at once and without the interpreter lock,
    so that a job which is lost in foreign code answers too.
    """
    with contextlib.suppress(OSError):  # a full disk must not fail the job
        path.parent.mkdir(parents=True, exist_ok=True)
        faulthandler.register(signal.SIGUSR1, path.open("ab"), all_threads=True)  # it keeps the file open


def leave_when_fenced(link: Link) -> None:
    """End the process soon after its attempt is fenced, though the job may hang."""
    timers: list[threading.Timer] = []

    def look() -> None:
        if link.is_fenced and not timers:
            timer = threading.Timer(FENCED_GRACE_SECONDS, os._exit, (EXIT_FENCED,))
            timer.daemon = True
            timers.append(timer)
            timer.start()

    link.listen(look)
    look()  # it may have been fenced before


def unwind_on_sigterm() -> None:
    """Let SIGTERM unwind the job once, so that its `finally` blocks run; later ones change nothing.

    A signal that comes just before the main thread begins to wait for a lock would
    go unnoticed until the lock is free. A thread therefore repeats it until the
    handler has run.
    """
    is_unwinding = threading.Event()
    home = threading.get_ident()
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)

    def unwind(number: int, frame: FrameType | None) -> None:
        if not is_unwinding.is_set():
            is_unwinding.set()
            raise Cancelled

    def repeat() -> None:
        while signal.SIGTERM not in os.read(reading, 64):
            pass
        while not is_unwinding.wait(0.05) and signal.getsignal(signal.SIGTERM) is unwind:
            signal.pthread_kill(home, signal.SIGTERM)

    signal.signal(signal.SIGTERM, unwind)
    threading.Thread(target=repeat, name="pilothouse-sigterm", daemon=True).start()
