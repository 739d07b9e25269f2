"""The processes of a benchmark: a server on one core, the watchers on another."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

START_SECONDS = 60.0
ANSWER_SECONDS = 180.0


class Child:
    """A process that takes commands as JSON lines and answers each with one."""

    def __init__(self, *args: str, core: int | None = None, silent: bool = False) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if silent else None,
            text=True,
        )
        self.pid = self._process.pid
        self._stats = psutil.Process(self.pid)
        if core is not None and (os.cpu_count() or 1) > core:
            os.sched_setaffinity(self.pid, {core})

    def send(self, do: str, **fields: Any) -> None:
        """Give a command."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **fields}) + "\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """The answer to the oldest command without one."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args!r} has ended")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        """Give a command and wait for its answer."""
        self.send(do, **fields)
        return self.answer()

    def cpu(self) -> float:
        """CPU seconds used so far, in user and kernel mode."""
        times = self._stats.cpu_times()
        return float(times.user + times.system)

    def rss(self) -> int:
        """Resident bytes."""
        return int(self._stats.memory_info().rss)

    def stop(self) -> None:
        """End the process, at once: how a server says goodbye is no part of this."""
        self._process.kill()
        self._process.wait()


class ServerUnderTest(Child):
    """A server and how to reach it.

    Attributes:
        started_seconds: From the start of the process to its first answer.
    """

    def __init__(self, module: str, port: int, *args: str, token: Path | None = None) -> None:
        self.port = port
        began = time.perf_counter()
        super().__init__(module, str(port), *args, core=0, silent=token is None)
        self._wait()
        self.started_seconds = time.perf_counter() - began
        self.token = token.read_text().strip() if token else ""

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/health", timeout=10).close()
                return
            except urllib.error.HTTPError:
                return
            except OSError:
                if self._process.poll() is not None:
                    raise RuntimeError("the server does not start") from None
                time.sleep(0.02)
        raise RuntimeError("the server does not answer")

    def get(self, path: str) -> bytes:
        """One GET."""
        url = f"http://127.0.0.1:{self.port}{path}"
        request = urllib.request.Request(url, headers={"authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as response:
            body: bytes = response.read()
        return body


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
    return port


@contextmanager
def our_server(database: str = "memory:") -> Iterator[ServerUnderTest]:
    """Pilothouse, on the memory store unless a database is named; `{data}` in it is the data folder."""
    with tempfile.TemporaryDirectory(prefix="pilothouse-bench-") as folder:
        url = database.format(data=folder)
        server = ServerUnderTest(
            "benchmarks.our_server", free_port(), folder, url, token=Path(folder) / "token"
        )
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def queue_server() -> Iterator[ServerUnderTest]:
    """The baseline."""
    server = ServerUnderTest("benchmarks.queue_server", free_port())
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def watchers() -> Iterator[Child]:
    """The load generator."""
    child = Child("benchmarks.watchers", core=1)
    try:
        yield child
    finally:
        child.stop()
