"""What ends a child process from outside: the host's death, a lost attempt, SIGTERM.

The host holds the other end of the child's standard input and never writes to
it. However the host dies, the kernel closes that end, and the child ends itself
with its process group at once; no other process has to notice anything.
"""

from __future__ import annotations

import os
import signal
import stat
import threading
from collections.abc import Callable
from types import FrameType

from pilothouse.sdk.link import Link
from pilothouse.sdk.signals import Cancelled

EXIT_FENCED = 4
EXIT_HOST_DIED = 7
FENCED_GRACE_SECONDS = 2.0


def watch_host(on_death: Callable[[], None]) -> None:
    """Call `on_death`, from a thread, once the host's end of standard input is closed.

    Job code gets an empty standard input instead. Without a pipe there is nothing
    to watch, as in a terminal.
    """
    mode = os.fstat(0).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return
    pipe = os.dup(0)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)

    def watch() -> None:
        while os.read(pipe, 4096):
            pass
        on_death()

    threading.Thread(target=watch, name="pilothouse-lifeline", daemon=True).start()


def end_family() -> None:
    """End this process and all that it started, at once."""
    try:
        import psutil

        descendants = psutil.Process().children(recursive=True)
    except Exception:  # nothing may hold up the end
        descendants = []
    for process in descendants:
        process.kill()
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(EXIT_HOST_DIED)


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
