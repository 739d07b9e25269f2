"""The whole of Pilothouse as a user starts it, on a data folder and a port of its own."""

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


def until(look: Callable[[], T], what: str, seconds: float = HANG_SECONDS) -> T:
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
    """

    def __init__(self, data: Path, more: Mapping[str, str] | None = None) -> None:
        self.data = data
        root = str(Path(__file__).parents[2])
        self.environment = os.environ | {
            "PILOTHOUSE_DATA": str(data),
            "PILOTHOUSE_KINDS": "tests.jobs.counting:KIND",
            "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")])),
            **(more or {}),
        }
        self.begin()

    def begin(self) -> None:
        """Start it, or start it again."""
        command = [sys.executable, "-m", "pilothouse.cli.main", "up", "--port", "0", "--no-open"]
        self.process = subprocess.Popen(
            [*command, "--data", str(self.data)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=self.environment,
        )
        until(lambda: self.url or self.process.poll() is not None, "the server's address")
        if self.process.poll() is not None:
            assert self.process.stderr
            with self.process.stderr as said:
                raise AssertionError(said.read().decode())
        until(self.is_up, "the server's health")

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
        """An API client with the token."""
        headers = {"authorization": f"Bearer {self.token}"}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=30)

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
            return httpx2.get(f"{self.url}/api/health", timeout=2).status_code == 200
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

    def kill(self, module: str) -> None:
        """SIGKILL the supervised process that runs a module."""
        process = self.child(module)
        process.kill()
        process.wait(10)

    def stop(self) -> None:
        """Ctrl+C."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)
        if self.process.stderr:
            self.process.stderr.close()


@contextmanager
def stack(data: Path, more: Mapping[str, str] | None = None) -> Iterator[Stack]:
    """A stack that is stopped at the end, with nothing left behind."""
    running = Stack(data, more)
    family = psutil.Process(running.process.pid).children(recursive=True)
    try:
        yield running
    finally:
        family += (
            psutil.Process(running.process.pid).children(recursive=True)
            if running.process.poll() is None
            else []
        )
        running.stop()
        _, alive = psutil.wait_procs(set(family), 10)
        assert not alive, f"left behind: {alive}"
