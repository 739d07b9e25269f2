"""The outside world of a script: one process with all that it starts.

The command leads a process group of its own, so that a signal reaches all of it
and nothing else. Its output is written to this process's, which is the run's log.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TextIO

import psutil

from pilothouse.errors import Invalid

TAIL_CHARACTERS = 4_000
PIPE_BYTES = 65_536
DRAIN_SECONDS = 2.0
STOP_SECONDS = 2.0
LOOK_SECONDS = 0.005


class NotStarted(Invalid):
    """The command cannot be started; the message names it."""

    code = "not_started"


class Command:
    """A command that runs.

    Args:
        argv: Program and arguments.
        folder: Where it runs.
        environment: All its variables.
        is_attached: Whether one of its processes obeys the run's controls by itself.
        on_output: Called from a thread with whatever it writes, and `stdout` or `stderr`.
        on_end: Called from a thread when its first process has ended.

    Attributes:
        exit_code: None while it runs; negative: the signal that ended it.

    Raises:
        NotStarted: No such program or folder, or it cannot be executed.
    """

    def __init__(
        self,
        argv: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        is_attached: Callable[[], bool],
        on_output: Callable[[str, str], None],
        on_end: Callable[[], None],
    ) -> None:
        self.exit_code: int | None = None
        self._is_attached = is_attached
        self._on_output = on_output
        self._on_end = on_end
        self._ended = threading.Event()
        self._lines = ""
        self._lock = threading.Lock()
        self._process = _start(argv, folder, environment)
        assert self._process.stdout and self._process.stderr
        self._readers = [
            threading.Thread(target=self._copy, args=ends, daemon=True)
            for ends in (
                (self._process.stdout, sys.stdout, "stdout"),
                (self._process.stderr, sys.stderr, "stderr"),
            )
        ]
        for thread in (*self._readers, threading.Thread(target=self._await_end, daemon=True)):
            thread.start()

    @property
    def has_ended(self) -> bool:
        """True once its first process is gone."""
        return self._ended.is_set()

    @property
    def obeys_itself(self) -> bool:
        """True while one of its processes has attached itself to the run."""
        return self._is_attached()

    @property
    def tail(self) -> str:
        """The end of its output; a bar that redraws itself counts with its last state."""
        lines = self._lines.strip("\n")[-TAIL_CHARACTERS:].split("\n")
        return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines).strip("\n")

    def hold(self) -> bool:
        """Stop it and all that it started; False when it has ended meanwhile."""
        held: dict[int, psutil.Process] = {}
        while found := {each.pid: each for each in self._family() if each.pid not in held}:
            held |= found
            self._signal(signal.SIGSTOP)
        end = time.monotonic() + STOP_SECONDS
        while not self.has_ended and time.monotonic() < end:
            if all(_stands_still(process) for process in held.values()):
                break
            time.sleep(LOOK_SECONDS)
        return not self.has_ended

    def go_on(self) -> None:
        """Let everything go on that `hold` stopped."""
        self._signal(signal.SIGCONT)

    def end(self, seconds: float | None = None) -> None:
        """Ask it to end, by SIGTERM to all of it, and wait until it has; SIGKILL after `seconds`."""
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)  # what is held takes the signal only when it goes on
        if not self._ended.wait(seconds):
            self._signal(signal.SIGKILL)
            self._ended.wait()
        self.drain()

    def drain(self) -> None:
        """Read what it said last. A process that it left behind does not hold this up."""
        end = time.monotonic() + DRAIN_SECONDS
        for reader in self._readers:
            reader.join(max(0.0, end - time.monotonic()))

    def _copy(self, pipe: IO[bytes], stream: TextIO, source: str) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        begun = ""
        while data := os.read(pipe.fileno(), PIPE_BYTES):
            text = decoder.decode(data)
            stream.write(text)
            stream.flush()
            self._on_output(text, source)
            lines, end, begun = (begun + text).rpartition("\n")
            self._remember(lines + end)
            begun = begun[-TAIL_CHARACTERS:]
        self._remember(begun + "\n" if begun else "")

    def _remember(self, lines: str) -> None:
        """Add whole lines to the tail, so that those of two streams do not run into each other."""
        with self._lock:
            self._lines = (self._lines + lines)[-4 * TAIL_CHARACTERS :]

    def _await_end(self) -> None:
        self.exit_code = self._process.wait()
        self._ended.set()
        self._on_end()

    def _signal(self, number: signal.Signals) -> None:
        """To the group, then to descendants that have left it."""
        family = list(self._family())
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)
        for process in family:
            with contextlib.suppress(psutil.Error, ProcessLookupError):
                if os.getpgid(process.pid) != self._process.pid:
                    process.send_signal(number)

    def _family(self) -> Iterator[psutil.Process]:
        """The first process and its descendants, also those that have left its group."""
        with contextlib.suppress(psutil.Error):
            first = psutil.Process(self._process.pid)
            yield first
            yield from first.children(recursive=True)


def _stands_still(process: psutil.Process) -> bool:
    try:
        return process.status() in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def _start(argv: Sequence[str], folder: Path, variables: Mapping[str, str]) -> subprocess.Popen[bytes]:
    if not folder.is_dir():
        raise NotStarted(f"There is no folder {folder}.", hint="The command would have run there.")
    try:
        return subprocess.Popen(
            argv,
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,
            bufsize=0,
        )
    except FileNotFoundError:
        hint = f"It was looked for in: {variables.get('PATH', '')}" if "/" not in argv[0] else None
        raise NotStarted(f"There is no command {argv[0]!r}.", hint=hint, exit_code=127) from None
    except (OSError, ValueError) as error:
        raise NotStarted(f"The command {argv[0]!r} cannot be started: {error}", exit_code=126) from None
