"""Runs attempts as processes of this machine.

Each gets its own session, a marker in its environment, and the reading end of a
pipe as standard input: when the host dies, however that happens, the pipe closes
and the child ends itself. A process that has left its group is found by the
marker, so nothing a job started outlives it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from pilothouse.contracts import Ended, Order
from pilothouse.errors import Unavailable

TAIL_BYTES = 4096
CLOSE_SECONDS = 3.0


@dataclass(slots=True)
class _Attempt:
    """A live process and the writing end of its watch pipe."""

    order: Order
    process: asyncio.subprocess.Process
    pipe: int
    waiter: asyncio.Task[None] | None = None


class LocalExecutor:
    """The `Executor` of one machine. All methods belong to the host's event loop.

    Args:
        command: What to start; the default runs the child with this Python.
    """

    def __init__(self, command: tuple[str, ...] = (sys.executable, "-m", "pilothouse.worker.child")) -> None:
        self._command = command
        self._attempts: dict[str, _Attempt] = {}
        self._ended: asyncio.Queue[Ended] = asyncio.Queue()

    async def start(self, order: Order) -> None:
        """Start the attempt.

        Raises:
            Unavailable: The process cannot be started, or another attempt of the run lives here.
        """
        if order.run_id in self._attempts:
            raise Unavailable(f"an attempt of {order.run_id} is still alive here")
        reading, writing = os.pipe()
        try:
            process = await self._spawn(order, reading)
        except OSError as error:
            os.close(writing)
            raise Unavailable(f"the process of {order.run_id} cannot be started: {error}") from error
        finally:
            os.close(reading)
        attempt = _Attempt(order, process, writing)
        self._attempts[order.run_id] = attempt
        attempt.waiter = asyncio.create_task(self._wait(attempt))

    async def stop(self, run_id: str, *, force: bool = False) -> None:
        """Signal the attempt's processes: SIGTERM, or SIGKILL with `force`. Ignores unknown runs."""
        if attempt := self._attempts.get(run_id):
            await asyncio.to_thread(_signal_family, attempt, signal.SIGKILL if force else signal.SIGTERM)

    async def ended(self) -> Ended:
        """Wait for the next attempt that ends."""
        return await self._ended.get()

    def running(self) -> list[str]:
        """Ids of the runs whose attempts are alive here."""
        return list(self._attempts)

    async def close(self) -> None:
        """End everything: SIGTERM, and SIGKILL for what is left after 3 seconds."""
        attempts = list(self._attempts.values())
        waiters = [attempt.waiter for attempt in attempts if attempt.waiter]
        for attempt in attempts:
            await asyncio.to_thread(_signal_family, attempt, signal.SIGTERM)
        if waiters:
            await asyncio.wait(waiters, timeout=CLOSE_SECONDS)
        for attempt in list(self._attempts.values()):
            await asyncio.to_thread(_signal_family, attempt, signal.SIGKILL)
        if waiters:
            await asyncio.wait(waiters)

    async def _spawn(self, order: Order, stdin: int) -> asyncio.subprocess.Process:
        with _open_console(order) as console:
            return await asyncio.create_subprocess_exec(
                *self._command,
                stdin=stdin,
                stdout=console,
                stderr=asyncio.subprocess.STDOUT,
                env={**os.environ, **_environment(order)},
                start_new_session=True,
            )

    async def _wait(self, attempt: _Attempt) -> None:
        """Wait for the process, end what it left behind, and tell."""
        code = await attempt.process.wait()
        await asyncio.to_thread(_sweep, attempt)
        os.close(attempt.pipe)
        del self._attempts[attempt.order.run_id]
        exit_code, signalled = (code, None) if code >= 0 else (None, -code)
        tail = await asyncio.to_thread(_tail, _console(attempt.order))
        self._ended.put_nowait(Ended(attempt.order.run_id, attempt.order.attempt, exit_code, signalled, tail))


def _environment(order: Order) -> dict[str, str]:
    """What the child reads; the token goes this way and never into the command line."""
    return {
        "PILOTHOUSE_SERVER": order.server,
        "PILOTHOUSE_TOKEN": order.token,
        "PILOTHOUSE_RUN_ID": order.run_id,
        "PILOTHOUSE_ATTEMPT": str(order.attempt),
        "PILOTHOUSE_ENTRY": order.entry,
        "PILOTHOUSE_FOLDER": order.folder,
        "PYTHONUNBUFFERED": "1",
    }


def _console(order: Order) -> Path:
    return Path(order.folder) / f"console-{order.attempt}.log"


def _open_console(order: Order) -> IO[bytes]:
    path = _console(order)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("ab")


def _tail(path: Path) -> str:
    with contextlib.suppress(OSError), path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
        return file.read().decode("utf-8", "replace")
    return ""


def _sweep(attempt: _Attempt) -> None:
    """End what the leader left behind; look again, for it may have forked meanwhile."""
    for _ in range(10):
        if not _signal_family(attempt, signal.SIGKILL):
            return


def _signal_family(attempt: _Attempt, number: signal.Signals) -> int:
    """Signal the process group, then descendants and marked processes that have left it.

    Returns:
        How many processes outside the group were found.
    """
    leader = attempt.process.pid
    strays = [process for process in _family(attempt) if _group(process) not in (leader, None)]
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)
    for process in strays:
        with contextlib.suppress(psutil.Error):
            process.send_signal(number)
    return len(strays)


def _family(attempt: _Attempt) -> Iterable[psutil.Process]:
    marker = _environment(attempt.order)
    found: dict[int, psutil.Process] = {}
    with contextlib.suppress(psutil.Error):
        found = {child.pid: child for child in psutil.Process(attempt.process.pid).children(recursive=True)}
    for process in psutil.process_iter():
        if process.pid != os.getpid() and process.pid not in found and _is_marked(process, marker):
            found[process.pid] = process
    return found.values()


def _is_marked(process: psutil.Process, marker: Mapping[str, str]) -> bool:
    names = ("PILOTHOUSE_RUN_ID", "PILOTHOUSE_ATTEMPT", "PILOTHOUSE_FOLDER")
    try:
        environment = process.environ()
    except (psutil.Error, OSError):
        return False
    return all(environment.get(name) == marker[name] for name in names)


def _group(process: psutil.Process) -> int | None:
    try:
        return os.getpgid(process.pid)
    except ProcessLookupError:
        return None
