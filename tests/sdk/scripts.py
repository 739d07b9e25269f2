"""Scripts as a user starts them by hand, against a real server without a host."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from pilothouse.kinds.script import KIND
from tests.e2e.stack import until
from tests.web.serving import Running, running

HANG = 60
ROOT = Path(__file__).parents[2]
LEDGER = """
import sys, time
import pilothouse as ph

def work(number):
    with open("ledger", "a") as ledger:
        ledger.write(f"{number}\\n")
    time.sleep(float(sys.argv[2]) if len(sys.argv) > 2 else 0)

"""
TRACKS = (
    LEDGER
    + """
with ph.run("my eval", params={"rate": 0.1}, tags=["oct"], resume=sys.argv[3] if len(sys.argv) > 3 else None) as run:
    for number in run.track(range(int(sys.argv[1])), key=str):
        work(number)
print("went on")
"""
)

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server without a host: nobody could claim a run."""
    with running(
        tmp_path_factory.mktemp("data"), {"script": KIND}, lease_seconds=2.0, sample_seconds=0.2
    ) as server:
        yield server


@pytest.fixture
def start(up: Running, tmp_path: Path) -> Iterator[Start]:
    """Starts a script as a user does, in the folder of the test."""
    scripts: list[subprocess.Popen[str]] = []

    def start(program: str, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("PILOTHOUSE_")
        }
        environment |= {"PILOTHOUSE_DATA": str(up.data), "PILOTHOUSE_SERVER": up.url, "PYTHONPATH": str(ROOT)}
        script = tmp_path / "eval.py"
        script.write_text(program)
        scripts.append(
            subprocess.Popen(
                [sys.executable, str(script), *arguments],
                env=environment | variables,
                cwd=tmp_path,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return scripts[-1]

    yield start
    for script in scripts:
        if script.poll() is None:
            script.kill()
        script.communicate()


def finish(script: subprocess.Popen[str]) -> tuple[int, str, str]:
    """The end of a script: exit code, standard output and error."""
    out, error = script.communicate(timeout=HANG)
    return script.returncode, out, error


def run_of(up: Running, script: subprocess.Popen[str]) -> dict[str, Any]:
    """The run that a script has made."""

    def look() -> dict[str, Any] | None:
        with up.client() as client:
            found = client.get("/api/runs", params={"limit": 200}).json()["runs"]
            mine = [run for run in found if (run["host"] or "").endswith(f":{script.pid}")]
            return client.get(f"/api/runs/{mine[0]['id']}").json() if mine else None

    return until(look, "the script's run") or {}


def reach(
    up: Running, run_id: str, is_reached: Callable[[dict[str, Any]], bool], what: str
) -> dict[str, Any]:
    """Wait until a run is as wanted."""

    def look() -> dict[str, Any] | None:
        with up.client() as client:
            run: dict[str, Any] = client.get(f"/api/runs/{run_id}").json()
        return run if is_reached(run) else None

    return until(look, what) or {}


def ask(up: Running, run_id: str, control: str) -> None:
    """A control by the API."""
    with up.client() as client:
        assert client.post(f"/api/runs/{run_id}/{control}", json={}).is_success


@contextmanager
def door(url: str) -> Iterator[tuple[str, Callable[[], None]]]:
    """A way to the server that can be shut for good: its address, and what shuts it."""
    target = urlsplit(url)
    listener = socket.create_server(("127.0.0.1", 0))
    ends: list[socket.socket] = [listener]

    def hand_on(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def admit() -> None:
        with suppress(OSError):
            while True:
                here, _ = listener.accept()
                there = socket.create_connection((target.hostname or "", target.port or 0))
                ends.extend((here, there))
                for pair in ((here, there), (there, here)):
                    threading.Thread(target=hand_on, args=pair, daemon=True).start()

    def shut() -> None:
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    threading.Thread(target=admit, daemon=True).start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}", shut
    shut()


def ledger(folder: Path) -> list[int]:
    """The items that were executed, in order."""
    path = folder / "ledger"
    return [int(line) for line in path.read_text().split()] if path.exists() else []
