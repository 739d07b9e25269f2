"""How long the demo takes: `python -m benchmarks.demo -- make demo VENV=/tmp/fresh`.

The command must start the demo on the port and data folder that stand in `ARGS`, which
this sets. Seconds are counted from the command's start: to the page, to the first
finished item, to the moment in which all five kinds are live, and to the demo's end.
Processor time is that of the command and all it started, so it says what a busy
machine hides.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

KINDS = {"benchmark", "generation", "synthesis", "autotune", "training"}
END = "The page stays until"
LOOK_SECONDS = 0.5
LONGEST_SECONDS = 1800.0


class Demo:
    """A demo that is watched from its start."""

    def __init__(self, command: list[str], data: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self._url = f"http://127.0.0.1:{port}"
        self._token = data / "token"
        arguments = f"--port {port} --data {data} --no-open"
        words = command if command[0] == "make" else [*command, *arguments.split()]
        self._began = time.monotonic()
        self._process = subprocess.Popen(
            words,
            env=os.environ | {"ARGS": arguments},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )
        self.is_over = False
        self.figures: dict[str, float] = {}
        threading.Thread(target=self._copy, daemon=True).start()

    def watch(self, on_live: Callable[[str, list[dict[str, Any]]], None]) -> None:
        """Until its end; tells the runs that are live, each time others are."""
        before: set[str] = set()
        while not self.is_over and self._seconds() < LONGEST_SECONDS and self._process.poll() is None:
            time.sleep(LOOK_SECONDS)
            try:
                self._note("page", self._get("/") is not None)
                runs = json.loads(self._get("/api/runs?tag=demo&limit=50") or "{}").get("runs", [])
            except (URLError, OSError):
                continue
            live = [run for run in runs if run["status"] == "running"]
            self._note("first result", any(run["progress"]["done"] for run in runs))
            self._note("all five live", {run["kind"] for run in live} >= KINDS)
            if {run["id"] for run in live} != before:
                before = {run["id"] for run in live}
                on_live(f"{self._seconds():.0f}", live)
        self._note("end", self.is_over)

    def stop(self) -> None:
        """As Ctrl+C does; a shell in the background would keep that signal from it."""
        began = time.monotonic()
        os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait(60)
        self.figures["stop"] = time.monotonic() - began
        used = os.times()
        self.figures["processor"] = used.children_user + used.children_system

    def _copy(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            print(f"{self._seconds():6.1f} | {line}", end="", flush=True)
            self.is_over |= END in line

    def _get(self, path: str) -> bytes | None:
        token = self._token.read_text().strip() if self._token.exists() else ""
        request = Request(self._url + path, headers={"Authorization": f"Bearer {token}"})
        with urlopen(request, timeout=5) as answer:
            found: bytes = answer.read()
            return found

    def _note(self, name: str, is_so: bool) -> None:
        if is_so:
            self.figures.setdefault(name, self._seconds())

    def _seconds(self) -> float:
        return time.monotonic() - self._began


def main() -> None:
    """Watch one demo."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.demo", description=__doc__)
    parser.add_argument("--out", type=Path, help="file for the figures")
    parser.add_argument("command", nargs="+", help="what starts the demo, after --")
    chosen = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        demo = Demo(chosen.command, Path(folder) / "data")
        try:
            demo.watch(
                lambda at, live: print(f"{at:>6} > {sorted({run['kind'] for run in live})}", flush=True)
            )
        finally:
            demo.stop()
    about = {"command": chosen.command, "cores": os.cpu_count(), "load": [load, os.getloadavg()[0]]}
    found = {"seconds": {name: round(value, 1) for name, value in demo.figures.items()}, **about}
    print(json.dumps(found, indent=1))
    if chosen.out:
        chosen.out.write_text(json.dumps(found, indent=1) + "\n")
    sys.exit(0 if "end" in demo.figures else 1)


if __name__ == "__main__":
    main()
