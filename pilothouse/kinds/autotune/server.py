"""An inference server in a process of its own: started, waited for, and stopped with all that it started.

It leads a process group. Its output goes to a file in the run's folder, and the
end of it into the item. When the job is killed, the shim above it kills the
server too: nothing here has to run for that.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import httpx2
import psutil

STOP_SECONDS = 5.0
FIRST_LOOK_SECONDS = 0.02
LAST_LOOK_SECONDS = 0.5
TAIL_BYTES = 4_000
TAIL_LINES = 20
Check = Callable[[], None]


class ExperimentFailed(Exception):
    """An experiment cannot be measured; that is a result like any other.

    Args:
        reason: What happened, in one sentence.
        output: The last lines that the server wrote.
    """

    def __init__(self, reason: str, output: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.output = output


class Server:
    """A server that was started.

    Args:
        argv: Program and arguments.
        variables: Its whole environment.
        folder: Where it runs.
        log: Where its output goes; what was there is replaced.

    Raises:
        ExperimentFailed: There is no such program, or it cannot be executed.
    """

    def __init__(self, argv: Sequence[str], variables: Mapping[str, str], folder: Path, log: Path) -> None:
        self._log = log
        self._known: dict[int, psutil.Process] = {}
        self._stopping = threading.Lock()
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            try:
                self._process = subprocess.Popen(
                    argv,
                    cwd=folder,
                    env=variables,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    process_group=0,
                )
            except FileNotFoundError:
                raise ExperimentFailed(f"There is no command {argv[0]!r}.") from None
            except (OSError, ValueError) as error:
                raise ExperimentFailed(f"The command {argv[0]!r} cannot be started: {error}") from None

    @property
    def pid(self) -> int:
        """Of its first process, and of its group."""
        return self._process.pid

    def check(self) -> None:
        """Look whether it lives.

        Raises:
            ExperimentFailed: It has ended.
        """
        if (code := self._process.poll()) is not None:
            raise self.failure(f"The server {_ended(code)}.")

    def failure(self, reason: str) -> ExperimentFailed:
        """A failure with the end of the output."""
        return ExperimentFailed(reason, tail(self._log))

    def stop(self) -> None:
        """SIGTERM to all of it, SIGKILL to what is left after 5 s; returns when nothing of it lives.

        The experiment's thread and the run's own may both call it; the second one waits for the first.
        """
        with self._stopping:
            self._signal(signal.SIGTERM)
            end = time.monotonic() + STOP_SECONDS
            while self._alive() and time.monotonic() < end:
                time.sleep(FIRST_LOOK_SECONDS)
            self._signal(signal.SIGKILL)
            while self._alive():
                self._signal(signal.SIGKILL)
                time.sleep(FIRST_LOOK_SECONDS)
            self._process.wait()

    def _alive(self) -> list[psutil.Process]:
        """What lives of it: its process, what that started, and what these started, wherever they went."""
        self._process.poll()
        roots = [*self._known.values()]
        with contextlib.suppress(psutil.Error):
            roots.append(psutil.Process(self._process.pid))
        for root in roots:
            with contextlib.suppress(psutil.Error):
                self._known |= {each.pid: each for each in (root, *root.children(recursive=True))}
        return [process for process in self._known.values() if _lives(process)]

    def _signal(self, number: signal.Signals) -> None:
        alive = self._alive()
        if self._process.returncode is None or alive:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)
        for process in alive:
            with contextlib.suppress(psutil.Error):
                process.send_signal(number)


def wait_until_healthy(url: str, seconds: float, check: Check) -> None:
    """Ask until the server answers 2xx.

    Args:
        url: What to ask.
        seconds: How long.
        check: Called before each look; what it raises ends the wait.

    Raises:
        ExperimentFailed: It did not, in that time.
    """
    end = time.monotonic() + seconds
    rest, said = FIRST_LOOK_SECONDS, "nobody answered"
    with httpx2.Client(timeout=httpx2.Timeout(5.0), trust_env=False) as client:
        while time.monotonic() < end:
            check()
            try:
                answer = client.get(url)
                if answer.is_success:
                    return
                said = f"the last answer was HTTP {answer.status_code}"
            except httpx2.TimeoutException:
                said = "it took the connection and did not answer"
            except httpx2.HTTPError:
                said = "nobody answered"
            time.sleep(rest)
            rest = min(rest * 1.5, LAST_LOOK_SECONDS)
    raise ExperimentFailed(f"The server was not healthy within {seconds:g} s: {said} at {url}.")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def tail(path: Path) -> str:
    """The last lines of a file; empty when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL_BYTES))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return "\n".join(line.rstrip() for line in lines[-TAIL_LINES:]).strip()


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _ended(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by signal {-code} ({signal.Signals(-code).name})"
    except ValueError:
        return f"was ended by signal {-code}"
