"""The job's standard output and error, line by line in the run's log.

Everything still goes to the real stream first, which the host keeps as a file,
so even a crash of the interpreter leaves its last words there. Progress bars
that redraw themselves with a carriage return count as one line, and a flood of
lines is thinned out and counted.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, TextIO

LINE_CHARACTERS = 8_000
LINES_PER_SECOND = 100.0
BURST_LINES = 1_000.0
BAR_SECONDS = 1.0

Say = Callable[[str, str], None]


class Flood:
    """Lets a burst of lines through, then so many a second.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._room = BURST_LINES
        self._filled_at = clock()
        self.left_out = 0

    def admits(self) -> bool:
        """True when one more line may pass; else it is counted."""
        now = self._clock()
        self._room = min(BURST_LINES, self._room + (now - self._filled_at) * LINES_PER_SECOND)
        self._filled_at = now
        if self._room < 1.0:
            self.left_out += 1
            return False
        self._room -= 1.0
        return True


class Console:
    """A text stream that writes to the real one and tells the log its lines.

    Args:
        real: The stream it stands in for; what is not defined here is asked of it.
        source: `stdout` or `stderr`.
        say: Called with source and text of each line; must not write to this stream.
    """

    def __init__(
        self, real: TextIO, source: str, say: Say, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._real = real
        self._source = source
        self._say = say
        self._clock = clock
        self._flood = Flood(clock)
        self._lock = threading.RLock()
        self._rest = ""
        self._bar_told_at = clock()
        self._bar_told = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def write(self, text: str) -> int:
        """Write to the real stream, then tell the lines that are complete."""
        with contextlib.suppress(OSError, ValueError):  # a full disk must not fail the job's print
            self._real.write(text)
        with self._lock:
            *lines, self._rest = (self._rest + text).split("\n")
            for line in lines:
                self._end(line)
            self._redraw()
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Write several strings."""
        for line in lines:
            self.write(line)

    def finish(self) -> None:
        """Tell a last line without an end, and what was left out."""
        with self._lock:
            rest, self._rest = self._rest.rstrip("\r"), ""
            if rest:
                self._end(rest)
            self._tell_left_out()
        self.flush()

    def flush(self) -> None:
        """Flush the real stream."""
        with contextlib.suppress(OSError, ValueError):
            self._real.flush()

    def _redraw(self) -> None:
        """Keep only the newest state of a bar; tell it now and then."""
        if len(self._rest) > LINE_CHARACTERS:
            self._rest = self._rest[-LINE_CHARACTERS:]
        drawn, is_bar, begun = self._rest.rpartition("\r")
        if not is_bar:
            return
        latest = begun or drawn.rpartition("\r")[2]
        self._rest = f"\r{latest}" if begun else f"\r{latest}\r"  # what comes next is drawn over it
        is_new = latest.strip() and latest != self._bar_told
        if is_new and self._clock() - self._bar_told_at >= BAR_SECONDS:
            self._bar_told_at = self._clock()
            self._bar_told = latest
            self._tell(latest)

    def _end(self, line: str) -> None:
        """Tell a line that is complete, unless it is a bar that stands where it was told last."""
        _, is_bar, shown = line.removesuffix("\r").rpartition("\r")
        told, self._bar_told = self._bar_told, ""
        if not is_bar or shown != told:
            self._tell(shown)

    def _tell(self, line: str) -> None:
        if not self._flood.admits():
            return
        self._tell_left_out()
        cut = len(line) - LINE_CHARACTERS
        self._say(self._source, line if cut <= 0 else f"{line[:LINE_CHARACTERS]}… [{cut:,} characters more]")

    def _tell_left_out(self) -> None:
        count, self._flood.left_out = self._flood.left_out, 0
        if count:
            self._say(
                self._source, f"… {count:,} lines are left out here; the host's console file has them all."
            )


def capture(say: Say) -> Callable[[], None]:
    """Put `sys.stdout` and `sys.stderr` on the log; returns what ends it."""
    before = sys.stdout, sys.stderr
    consoles = Console(sys.stdout, "stdout", say), Console(sys.stderr, "stderr", say)
    sys.stdout, sys.stderr = consoles

    def restore() -> None:
        for console in consoles:
            console.finish()
        sys.stdout, sys.stderr = before

    return restore
