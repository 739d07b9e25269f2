"""Keeps the API server and the host running, as two processes beside each other.

Either may die and is started again without the other noticing: jobs live in
processes of their own, so a server that restarts touches no run.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pilothouse.cli.output import say

START_SECONDS = 30.0
LOOK_SECONDS = 0.2
STOP_SECONDS = 8.0
QUICK_SECONDS = 5.0
MAX_QUICK_DEATHS = 5


@dataclass(slots=True)
class Child:
    """One supervised process."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    quick_deaths: int = 0
    failure: str = ""

    def start(self) -> None:
        """Start it, with a pipe that closes when this process dies.

        Raises:
            OSError: It cannot be started.
        """
        self._forget()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        output: IO[bytes]
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.started, self.failure = time.monotonic(), ""

    def restart(self) -> None:
        """Start it again; where that cannot be now, say so once, and leave it to the next look."""
        try:
            self.start()
        except OSError as error:
            if str(error) != self.failure:
                self.failure = str(error)
                say(f"  The {self.name} cannot be started: {error}; it is tried again.")

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """SIGTERM, and SIGKILL when that takes too long."""
        if self.process is not None and self.is_alive:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._forget()

    def _forget(self) -> None:
        """Let go of a process that has ended, and of its pipe."""
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()
        self.process = None


class Supervisor:
    """Runs a server and a host on one data folder until told to stop.

    Args:
        data: The data folder.
        port: The server's port; 0 takes a free one.
        slots: Runs side by side; None lets `PILOTHOUSE_SLOTS` say, else as many as there are cores.
        insecure: Ask nobody for a token.

    Attributes:
        before_stop: Called first when all is stopped, while both still run.
    """

    def __init__(self, data: Path, port: int, slots: int | None, *, insecure: bool = False) -> None:
        self.data = data
        self.url = f"http://127.0.0.1:{port or _free_port()}"
        environment = os.environ | {
            "PILOTHOUSE_DATA": str(data),
            "PILOTHOUSE_PORT": self.url.rpartition(":")[2],
        }
        if insecure:
            environment["PILOTHOUSE_INSECURE_NO_AUTH"] = "true"
        if slots:
            environment["PILOTHOUSE_SLOTS"] = str(slots)
        server = [sys.executable, "-m", "pilothouse.web.serve", "--watch-stdin"]
        self.server = Child("server", server, environment, data / "server.log")
        self.slots = slots or _slots_of(environment)
        self._environment = environment
        self.host: Child | None = None
        self.before_stop: Callable[[], None] = lambda: None
        self._is_recorded = False

    def start(self, is_up: Callable[[], bool]) -> bool:
        """Start both; False when the server does not come up.

        Args:
            is_up: Asks the server whether it is ready.
        """
        self.server.start()
        end = time.monotonic() + START_SECONDS
        while not is_up():
            if not self.server.is_alive or time.monotonic() > end:
                self.stop()
                return False
            time.sleep(0.05)
        self._record()
        token = (self.data / "token").read_text().strip()
        environment = self._environment | {"PILOTHOUSE_SERVER": self.url, "PILOTHOUSE_TOKEN": token}
        command = [sys.executable, "-m", "pilothouse.worker.host", "--watch-stdin"]
        command += ["--slots", str(self.slots), "--data", str(self.data), "--name", host_name(token)]
        self.host = Child("host", command, environment, self.data / "host.log")
        self.host.start()
        return True

    def watch(self, look: Callable[[], None] = lambda: None) -> Child | None:
        """Restart whoever dies, until a signal comes (KeyboardInterrupt) or one dies at once, again and again.

        Args:
            look: Called each time before, with whatever else there is to do.
        """
        while True:
            look()
            for child in (self.server, self.host):
                if child is None or child.is_alive:
                    continue
                quick = child.process is not None and time.monotonic() - child.started < QUICK_SECONDS
                child.quick_deaths = child.quick_deaths + 1 if quick else 0
                if child.quick_deaths >= MAX_QUICK_DEATHS:
                    return child
                child.restart()
            time.sleep(LOOK_SECONDS)

    def stop(self) -> None:
        """End the host first, so that it can still say how its jobs ended, then the server."""
        try:
            self.before_stop()
        finally:
            self._stop()

    def _stop(self) -> None:
        for child in (self.host, self.server):
            if child is not None:
                child.stop()
        if self._is_recorded:  # else it is another server's
            self._is_recorded = False
            with contextlib.suppress(OSError):
                (self.data / "server.json").unlink()

    def _record(self) -> None:
        """Write the address down for other commands with this data folder."""
        path = self.data / "server.json"
        part = path.with_name(f".server-{os.getpid()}.json")
        part.write_text(json.dumps({"url": self.url, "pid": os.getpid()}))
        part.replace(path)
        self._is_recorded = True


def _slots_of(environment: Mapping[str, str]) -> int:
    told = environment.get("PILOTHOUSE_SLOTS", "")
    return int(told) if told.isdecimal() and int(told) else max(2, os.cpu_count() or 1)


def host_name(token: str) -> str:
    """A name for this machine with this data folder: two folders on one machine are two hosts."""
    return f"{socket.gethostname()}-{hashlib.sha256(token.encode()).hexdigest()[:4]}"


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def stop_on_signals() -> None:
    """SIGTERM and SIGHUP end the supervisor as Ctrl+C does."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
