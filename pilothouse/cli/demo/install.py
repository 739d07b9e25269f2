"""Install packages with pip, told as a progress bar: `python -m pilothouse.cli.demo.install torch==2.13.0 …`.

pip says nothing while it unpacks, which for large packages takes most of the time.
So this counts the packages that have arrived and draws the bar that a run reads.
Where the first requirement cannot be had in its version, it is left out: the others
name the same package with more room.
"""

from __future__ import annotations

import importlib
import os
import queue
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from importlib import metadata

LOOK_SECONDS = 0.5
QUIET_SECONDS = 5.0
WIDTH = 20
PIP = (
    sys.executable,
    "-m",
    "pip",
    "install",
    "--disable-pip-version-check",
    "--no-input",
    "--progress-bar",
    "off",
)
PATIENCE = ("--no-compile", "--retries", "1", "--timeout", "15")  # what is imported compiles itself
PROGRAM = (*PIP, *PATIENCE)
_LIST = re.compile(r"Installing collected packages: (.+)")
_NOTHING_AT_ALL = "from versions: none"


def main(requirements: Sequence[str], program: Sequence[str] = PROGRAM) -> int:
    """Install; gives pip's exit code.

    Args:
        requirements: As pip takes them; the first one is a wish.
        program: Pip, and how it is called.
    """
    wish, rest = requirements[0], list(requirements[1:])
    first = Installation([wish, *rest], _is_there, program)
    if (code := first.run()) == 0 or not rest or _NOTHING_AT_ALL in first.said:
        return code
    print(f"{wish} cannot be had here; another version will do.", flush=True)
    return Installation(rest, _is_there, program).run()


class Installation:
    """One call of pip.

    Args:
        requirements: What to install.
        is_there: Whether a package is installed by now.
        program: Pip, and how it is called.

    Attributes:
        said: The last lines that pip said.
    """

    def __init__(
        self,
        requirements: Sequence[str],
        is_there: Callable[[str], bool],
        program: Sequence[str] = PROGRAM,
    ) -> None:
        self._command = [*program, *requirements]
        self._is_there = is_there
        self._left: list[str] = []
        self._total = 0
        self._began = time.monotonic()
        self.said = ""

    def run(self) -> int:
        """Install and tell; gives pip's exit code."""
        environment = os.environ | {"PYTHONUNBUFFERED": "1"}
        with subprocess.Popen(
            self._command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as pip:
            lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
            assert pip.stdout
            threading.Thread(target=_read, args=(pip.stdout, lines), daemon=True).start()
            heard = time.monotonic()
            while True:
                try:
                    line = lines.get(timeout=LOOK_SECONDS)
                except queue.Empty:
                    if not self._look() and time.monotonic() - heard > QUIET_SECONDS:
                        heard = time.monotonic()
                        print(f"… at work for {heard - self._began:.0f} s", flush=True)
                    continue
                if line is None:
                    break
                heard = time.monotonic()
                self._hear(line)
            code = pip.wait()
        if code == 0:
            self._draw(self._total)
        return code

    def _hear(self, line: str) -> None:
        print(line, flush=True)
        self.said = (self.said + line + "\n")[-4_000:]
        if match := _LIST.match(line):
            self._left = [name.strip() for name in match[1].split(",")]
            self._total = len(self._left)
            self._draw(0)

    def _look(self) -> bool:
        """Draw the bar anew where a package has arrived; whether there is one to draw."""
        left = [name for name in self._left if not self._is_there(name)]
        if len(left) < len(self._left):
            self._left = left
            self._draw(self._total - len(left))
        return self._total > 0

    def _draw(self, done: int) -> None:
        if self._total:
            full = WIDTH * done // self._total
            bar = "█" * full + " " * (WIDTH - full)
            print(f"{100 * done // self._total:3}%|{bar}| {done}/{self._total} packages", flush=True)


def _read(pipe: Iterable[str], lines: queue.SimpleQueue[str | None]) -> None:
    for line in pipe:
        lines.put(line.rstrip("\n"))
    lines.put(None)


def _is_there(name: str) -> bool:
    importlib.invalidate_caches()
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
