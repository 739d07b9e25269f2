"""Runs attempts as processes of this machine.

Each gets a shim as its parent, a marker in its environment, and the shim gets the
reading end of a pipe: when the host dies, however that happens, the pipe closes and
the shim ends all that is below it. An attempt is told as ended when nothing that it
started is alive.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeVar

from pilothouse.contracts import Ended, Order
from pilothouse.errors import Unavailable
from pilothouse.executors import family
from pilothouse.worker import shim
from pilothouse.worker.shim import HAS_PROC, Process, processes, send

TAIL_BYTES = 4096
STACK_BYTES = 1_000_000
CLOSE_SECONDS = 3.0
KILL_SECONDS = 0.5
CLEAR_SECONDS = 5.0
FIRST_REST_SECONDS = 0.005
LAST_REST_SECONDS = 0.5
LOOK_SECONDS = 2.0
DUMP_SECONDS = 3.0
STEADY_SECONDS = 0.1
QUIET_SECONDS = 1.0
OUTERMOST = (b" in _run_module_as_main\n", b"\n  ...\n")
ENDED = "The job has ended."
_SECRETS = frozenset({"PILOTHOUSE_SMTP_PASSWORD", "PILOTHOUSE_WEBHOOK_SECRET"})
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")

logger = logging.getLogger("pilothouse.local")
T = TypeVar("T")


@dataclass(slots=True)
class _Attempt:
    """A live attempt: its shim, the writing end of its watch pipe, and its processor use."""

    order: Order
    process: asyncio.subprocess.Process
    pipe: int
    marker: dict[str, str]
    waiter: asyncio.Task[None] | None = None
    ticks: tuple[float, int] | None = None
    load: float | None = None


class LocalExecutor:
    """The `Executor` of one machine. All methods belong to the host's event loop.

    Args:
        command: What to start; the default runs the child with this Python.
    """

    def __init__(self, command: tuple[str, ...] = (sys.executable, "-m", "pilothouse.worker.child")) -> None:
        self._command = command
        self._host = ""
        self._attempts: dict[str, _Attempt] = {}
        self._ended: asyncio.Queue[Ended] = asyncio.Queue()
        self._spawning = asyncio.Lock()
        self._dumping = asyncio.Lock()
        self._looked_at = 0.0

    async def open(self, host: str, server: str) -> None:
        """Take up work for a host, and end what an earlier one of this name and server left alive."""
        self._host = host
        marker = {"PILOTHOUSE_HOST": host, "PILOTHOUSE_SERVER": server}
        end = time.monotonic() + CLEAR_SECONDS
        while left := await asyncio.to_thread(lambda: send(family.marked(marker), signal.SIGKILL)):
            if time.monotonic() > end:
                logger.error("%d processes of an earlier host cannot be killed", left)
                return
            await asyncio.sleep(0.02)

    async def start(self, order: Order) -> None:
        """Start the attempt.

        Raises:
            Unavailable: The process cannot be started, or another attempt of the run lives here.
        """
        if order.run_id in self._attempts:
            raise Unavailable(f"an attempt of {order.run_id} is still alive here")
        if shutil.which(self._command[0]) is None:
            raise Unavailable(f"the process of {order.run_id} cannot be started: no {self._command[0]}")
        marker = _environment(order) | {"PILOTHOUSE_HOST": self._host}
        reading, writing = os.pipe()
        async with self._spawning:
            try:
                process = await self._spawn(order, marker, reading)
            except OSError as error:
                os.close(writing)
                raise Unavailable(f"the process of {order.run_id} cannot be started: {error}") from error
            finally:
                os.close(reading)
            attempt = self._attempts[order.run_id] = _Attempt(order, process, writing, marker)
        attempt.waiter = asyncio.create_task(self._wait(attempt))

    async def stop(self, run_id: str, *, force: bool = False) -> None:
        """Signal all that the attempt started: SIGTERM, or SIGKILL with `force`. Ignores unknown runs."""
        attempt = self._attempts.get(run_id)
        if attempt is None or attempt.process.returncode is not None:
            return  # what a killed shim left behind is being killed already
        await asyncio.to_thread(_kill if force else _terminate, attempt.process.pid)

    async def survivors(self, run_id: str) -> int:
        """How many processes of the attempt are alive; 0 for an unknown run."""
        if attempt := self._attempts.get(run_id):
            return sum(process.is_alive for process in await self._on_family(attempt, lambda found: found))
        return 0

    async def dump(self, run_id: str) -> str:
        """The Python stack of every thread of the job; in words, why there is none."""
        async with self._dumping:
            if (attempt := self._attempts.get(run_id)) is None:
                return ENDED
            if (job := await asyncio.to_thread(family.job_of, attempt.process.pid)) is None:
                return ENDED
            path = _folder(attempt.order) / f"stack-{attempt.order.attempt}.txt"
            written = _size(path)
            with contextlib.suppress(OSError):
                os.kill(job.pid, signal.SIGUSR1)
            await _settle(path, written)
            text = await asyncio.to_thread(_read, path, written)
        return text or f"The job did not answer within {DUMP_SECONDS:g} s: it is starting, or stopped."

    async def loads(self) -> dict[str, float]:
        """Processor use of each attempt that is not stopped, 1.0 for one core; looks at most every 2 seconds."""
        now = time.monotonic()
        if self._attempts and now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            seen = await asyncio.to_thread(processes)
            for attempt in self._attempts.values():
                _measure(attempt, seen, now)
        return {run_id: each.load for run_id, each in self._attempts.items() if each.load is not None}

    async def ended(self) -> Ended:
        """Wait for the next attempt of which nothing is alive any more."""
        return await self._ended.get()

    def running(self) -> list[str]:
        """Ids of the runs whose attempts are alive here."""
        return list(self._attempts)

    async def close(self) -> None:
        """End everything: SIGTERM, then SIGKILL. What cannot be killed is left to its shim, which goes on trying."""
        for force in (False, True):
            attempts = list(self._attempts.values())
            for attempt in attempts:
                await self.stop(attempt.order.run_id, force=force)
            if waiters := [attempt.waiter for attempt in attempts if attempt.waiter]:
                await asyncio.wait(waiters, timeout=CLOSE_SECONDS)

    async def _spawn(self, order: Order, marker: dict[str, str], stdin: int) -> asyncio.subprocess.Process:
        with _open_console(order) as console:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", shim.__file__, *self._command),
                stdin=stdin,
                stdout=console,
                stderr=asyncio.subprocess.STDOUT,
                env=_inherited(os.environ) | marker,
                start_new_session=True,
            )

    async def _wait(self, attempt: _Attempt) -> None:
        """Wait for the shim, end what it left behind if it was killed, and tell."""
        code = await attempt.process.wait()
        os.close(attempt.pipe)
        if code < 0 or not HAS_PROC:  # else it has ended by itself, after all that was below it
            await self._end_strays(attempt)
        del self._attempts[attempt.order.run_id]
        exit_code, signalled = (code, None) if code >= 0 else (None, -code)
        tail = await asyncio.to_thread(_tail, _console(attempt.order))
        self._ended.put_nowait(Ended(attempt.order.run_id, attempt.order.attempt, exit_code, signalled, tail))

    async def _end_strays(self, attempt: _Attempt) -> None:
        """Kill what a killed shim has left behind until it is gone."""
        rest = FIRST_REST_SECONDS
        while await self._on_family(attempt, lambda found: send(found, signal.SIGKILL)):
            await asyncio.sleep(rest)
            rest = min(rest * 2, LAST_REST_SECONDS)

    async def _on_family(self, attempt: _Attempt, do: Callable[[list[Process]], T]) -> T:
        """Find the attempt's processes and do something to them, in a thread."""
        if attempt.process.returncode is None:
            return await asyncio.to_thread(lambda: do(family.tree(attempt.process.pid)))
        async with self._spawning:  # a shim that is being started is not taken for a stray
            known = {each.process.pid for each in self._attempts.values() if each.process.returncode is None}
            return await asyncio.to_thread(lambda: do(family.strays(attempt.marker, known)))


def _inherited(environ: Mapping[str, str]) -> dict[str, str]:
    """What a job has of its host's environment: all but the secrets that only the server needs."""
    return {name: value for name, value in environ.items() if name not in _SECRETS}


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


def _terminate(pid: int) -> None:
    send(family.tree(pid), signal.SIGTERM)


def _kill(pid: int) -> None:
    """Kill all below a shim, and see that the shim can do the rest."""
    end = time.monotonic() + KILL_SECONDS
    while send(family.tree(pid), signal.SIGKILL) and time.monotonic() < end:
        time.sleep(0.005)
    with contextlib.suppress(OSError):
        os.kill(pid, signal.SIGCONT)  # the job may have stopped it


def _measure(attempt: _Attempt, seen: dict[int, Process], now: float) -> None:
    """Compare the attempt's processor time with that of the look before. Of a job that is stopped nothing is said."""
    leader = seen.get(attempt.process.pid)
    below = shim.below(leader.pid, seen) if leader else []
    if leader is None or any(each.is_stopped for each in below if each.parent == leader.pid):
        attempt.ticks = attempt.load = None
        return
    ticks = leader.ticks + sum(process.ticks for process in below)
    if attempt.ticks is not None:
        before, then = attempt.ticks
        attempt.load = round(max(0.0, (ticks - then) / TICKS_PER_SECOND / (now - before)), 3)
    attempt.ticks = now, ticks


def _folder(order: Order) -> Path:
    return Path(order.folder)


def _console(order: Order) -> Path:
    return _folder(order) / f"console-{order.attempt}.log"


def _open_console(order: Order) -> IO[bytes]:
    path = _console(order)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("ab")


def _tail(path: Path) -> str:
    return _read(path, max(0, _size(path) - TAIL_BYTES))


def _size(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_size
    return 0


def _read(path: Path, start: int) -> str:
    with contextlib.suppress(OSError), path.open("rb") as file:
        file.seek(start)
        return file.read(STACK_BYTES).decode("utf-8", "replace")
    return ""


async def _settle(path: Path, size: int) -> None:
    """Wait until a file has grown by a whole dump, or grows no more."""
    now = time.monotonic()
    end, quiet, before = now + DUMP_SECONDS, now + QUIET_SECONDS, size
    while now < end and not (before > size and (now >= quiet or _is_whole(path))):
        await asyncio.sleep(STEADY_SECONDS)
        now = time.monotonic()
        if (grown := _size(path)) != before:
            before, quiet = grown, now + QUIET_SECONDS


def _is_whole(path: Path) -> bool:
    """Whether the outermost call of the main thread is the last line: the interpreter writes that thread last."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        file.seek(-min(64, _size(path)), os.SEEK_END)
        return file.read().endswith(OUTERMOST)
    return False
