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
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

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
    quick_deaths: int = field(default=0)

    def start(self) -> None:
        """Start it, with a pipe that closes when this process dies."""
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
        self.started = time.monotonic()

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """SIGTERM, and SIGKILL when that takes too long."""
        if self.process is None or not self.is_alive:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Supervisor:
    """Runs a server and a host on one data folder until told to stop.

    Args:
        data: The data folder.
        port: The server's port; 0 takes a free one.
        slots: Runs side by side; None lets `PILOTHOUSE_SLOTS` say, else as many as there are cores.
        insecure: Ask nobody for a token.
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

    def watch(self) -> Child | None:
        """Restart whoever dies, until a signal comes (KeyboardInterrupt) or one dies at once, again and again."""
        while True:
            for child in (self.server, self.host):
                if child is None or child.is_alive:
                    continue
                quick = time.monotonic() - child.started < QUICK_SECONDS
                child.quick_deaths = child.quick_deaths + 1 if quick else 0
                if child.quick_deaths >= MAX_QUICK_DEATHS:
                    return child
                child.start()
            time.sleep(LOOK_SECONDS)

    def stop(self) -> None:
        """End the host first, so that it can still say how its jobs ended, then the server."""
        for child in (self.host, self.server):
            if child is not None:
                child.stop()
        with contextlib.suppress(OSError):
            (self.data / "server.json").unlink()

    def _record(self) -> None:
        """Write the address down for other commands with this data folder."""
        path = self.data / "server.json"
        path.write_text(json.dumps({"url": self.url, "pid": os.getpid()}))


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
