"""What a command and the processes that attach themselves to its run leave for each other.

They live on one machine and share the run's folder. The job that started the
command learns here whether somebody obeys the run's controls from within, and
why a process that had attached itself left; a later attempt learns whether the
command has run before.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

FOLDER = "command"


class Traces:
    """The traces in one run's folder.

    Args:
        folder: The run's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER

    # The job that starts the command

    @property
    def was_started(self) -> bool:
        """True once any attempt has started the command."""
        return (self._folder / "started").exists()

    @property
    def was_attached(self) -> bool:
        """True once any process of the command has attached itself."""
        return (self._folder / "attached").exists()

    @property
    def is_attached(self) -> bool:
        """True while a process lives that has attached itself and not yet left."""
        return any(_is_alive(path) for path in self._folder.glob("attached.*"))

    def start(self) -> None:
        """The command is about to be started; what earlier attempts left behind is cleared."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for path in (*self._folder.glob("attached.*"), self._folder / "left.json"):
            path.unlink(missing_ok=True)
        (self._folder / "started").touch()

    def left(self) -> dict[str, Any]:
        """What the process that left last said: `reason` and, after an error, `failure`; empty without one."""
        try:
            said = json.loads((self._folder / "left.json").read_text())
        except (OSError, ValueError):
            return {}
        return said if isinstance(said, dict) else {}

    # A process that attaches itself

    def attach(self) -> None:
        """This process obeys the run's controls from now on."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "attached").touch()
        self._mine.write_text(_began(os.getpid()))

    def leave(self, reason: str, failure: dict[str, Any] | None = None) -> None:
        """This process no longer obeys.

        Args:
            reason: `ended`, `failed`, `cancelled` or `cut_off`.
            failure: After an error, the data of `run.failed`.
        """
        with contextlib.suppress(OSError):
            (self._folder / "left.json").write_text(json.dumps({"reason": reason, "failure": failure}))
            self._mine.unlink(missing_ok=True)

    @property
    def _mine(self) -> Path:
        return self._folder / f"attached.{os.getpid()}"


def _is_alive(trace: Path) -> bool:
    """True while the process lives that left the trace, and not only another one of its number."""
    pid = int(trace.suffix[1:])
    try:
        with contextlib.suppress(PermissionError):  # another user's
            os.kill(pid, 0)
        began = trace.read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False
    return began in ("", _began(pid))


def _began(pid: int) -> str:
    """When a process began, in clock ticks since the machine started; empty where nothing tells."""
    try:
        said = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return ""
    return said.rpartition(")")[2].split()[19]
