"""The whole of Pilothouse as a user starts it, on a data folder and a port of its own.

For tests that want the real thing: a server, a host and jobs, each in a process
that can be killed.

```python
with stack(folder, {"PILOTHOUSE_KINDS": "wordcount:KIND"}) as up:
    run = up.api("POST", "/api/runs", {"kind": "wordcount"})
    up.wait(run["id"], lambda now: now["ended_at"] is not None, "the end")
```
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import psutil

T = TypeVar("T")
HANG_SECONDS = 60.0


def until(look: Callable[[], T | None], what: str, seconds: float = HANG_SECONDS) -> T:
    """Look until there is something; fail with `what` after a hang limit."""
    end = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        assert time.monotonic() < end, f"waited {seconds:g} s: {what}"
        time.sleep(0.05)


class Stack:
    """`pilothouse up` in a process, and what tests ask of it.

    Args:
        data: The data folder.
        more: Variables of its environment, on top of those of every stack.

    Attributes:
        words: The command that starts it, with options of its own: `up`, or `demo`.
    """

    words: tuple[str, ...] = ("up",)

    def __init__(self, data: Path, more: Mapping[str, str] | None = None) -> None:
        self.data = data
        self._stderr = data.with_name(f"{data.name}.stderr")
        self.environment = {**os.environ, "PILOTHOUSE_DATA": str(data), **(more or {})}
        self.begin()

    def begin(self) -> None:
        """Start it, or start it again."""
        command = [sys.executable, "-m", "pilothouse.cli.main", *self.words, "--port", "0", "--no-open"]
        self._stderr.parent.mkdir(parents=True, exist_ok=True)
        with self._stderr.open("wb") as said:  # no pipe: one that nobody reads holds up whoever says too much
            self.process = subprocess.Popen(
                [*command, "--data", str(self.data)],
                stdout=subprocess.DEVNULL,
                stderr=said,
                env=self.environment,
            )
        try:
            until(lambda: self.url or self.process.poll() is not None, "the server's address")
            assert self.process.poll() is None, self.said
            until(self.is_up, "the server's health")
        except BaseException:
            self.stop()
            raise

    @property
    def said(self) -> str:
        """What it has written to stderr since it began."""
        return self._stderr.read_text(errors="replace")

    @property
    def url(self) -> str:
        """The server's address, empty until it is written down."""
        try:
            return str(json.loads((self.data / "server.json").read_text())["url"])
        except (OSError, ValueError):
            return ""

    @property
    def token(self) -> str:
        """The data folder's token."""
        return (self.data / "token").read_text().strip()

    def client(self) -> httpx2.Client:
        """An API client with the token; without the 20 ms that it takes to load certificates."""
        headers = {"authorization": f"Bearer {self.token}"}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=30, verify=False)

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """One call that must succeed."""
        with self.client() as client:
            answer = client.request(method, path, json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def cli(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """One command of the command line."""
        command = [sys.executable, "-m", "pilothouse.cli.main", "--data", str(self.data), *arguments]
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("PILOTHOUSE_")
        }
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=120,
            env=environment,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert not check or done.returncode == 0, (
            f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
        return done

    def is_up(self) -> bool:
        """Whether the server answers."""
        try:
            return httpx2.get(f"{self.url}/api/health", timeout=2, verify=False).status_code == 200
        except httpx2.HTTPError:
            return False

    def run(self, run_id: str) -> dict[str, Any]:
        """One run."""
        found: dict[str, Any] = self.api("GET", f"/api/runs/{run_id}")
        return found

    def wait(self, run_id: str, is_reached: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
        """Wait until a run is as wanted; a server that is away meanwhile is waited for."""

        def look() -> dict[str, Any] | None:
            try:
                run = self.run(run_id)
            except httpx2.HTTPError:
                return None
            return run if is_reached(run) else None

        return until(look, what) or {}

    def log(self, run_id: str) -> list[dict[str, Any]]:
        """All events of a run."""
        events: list[dict[str, Any]] = []
        while more := self.api("GET", f"/api/runs/{run_id}/events?after={len(events)}&limit=5000")["events"]:
            events += more
        return events

    def jobs(self, run_id: str) -> list[psutil.Process]:
        """The processes that execute a run's job code; none between two attempts."""
        found = []
        for process in psutil.Process(self.process.pid).children(recursive=True):
            try:
                words, variables = process.cmdline(), process.environ()
            except psutil.Error:
                continue
            is_job = "pilothouse.worker.child" in words and not any("shim.py" in word for word in words)
            if is_job and variables.get("PILOTHOUSE_RUN_ID") == run_id:
                found.append(process)
        return found

    def child(self, module: str) -> psutil.Process:
        """The supervised process that runs a module."""
        for process in psutil.Process(self.process.pid).children(recursive=True):
            try:
                if module in process.cmdline():
                    return process
            except psutil.NoSuchProcess:
                continue
        raise AssertionError(f"no process runs {module}")

    def kill_server(self) -> None:
        """SIGKILL the API server; the supervisor starts another one."""
        self.kill("pilothouse.web.serve")

    @contextmanager
    def without_server(self) -> Iterator[None]:
        """SIGKILL the API server, and hold the supervisor, so that none is started until the block ends."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            self.child("pilothouse.web.serve").kill()
            until(lambda: not self.is_up(), "the server to be gone")
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def kill(self, module: str) -> None:
        """SIGKILL the supervised process that runs a module."""
        process = self.child(module)
        process.kill()
        process.wait(10)

    def stop(self) -> None:
        """Ctrl+C; where a shell runs the tests in the background, which makes that void, SIGTERM."""
        is_void = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM if is_void else signal.SIGINT)
            self.process.wait(30)


S = TypeVar("S", bound=Stack)


@contextmanager
def stack(data: Path, more: Mapping[str, str] | None = None) -> Iterator[Stack]:
    """A stack that is stopped at the end, with nothing left behind.

    Args:
        data: Its data folder; need not exist.
        more: Variables of its environment.
    """
    with stopped(Stack(data, more)) as running:
        yield running


@contextmanager
def stopped(running: S) -> Iterator[S]:
    """A stack that has begun already, stopped at the end, with nothing left behind."""
    family = psutil.Process(running.process.pid).children(recursive=True)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            family += psutil.Process(running.process.pid).children(recursive=True)
        running.stop()
        _, alive = psutil.wait_procs(set(family), 10)
        assert not alive, f"left behind: {alive}"
