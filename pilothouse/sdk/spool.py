"""Events on their way to the server, on the disk before they are sent.

Every event gets its number here and is written to a file in the run's folder
(to the page cache: it survives the process, not the machine) before it goes out.
The server's answer takes it off again. So memory stays small while the server is
away, and a killed process leaves behind what the server has not got.

The oldest events are also kept in memory, from where they are sent; the others
are on the disk only. While the disk takes nothing, new events wait in memory.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pilothouse import failpoint
from pilothouse.sdk import record
from pilothouse.sdk.marks import Marks

LIMIT_BYTES = 256_000_000
MEMORY_BYTES = 64_000_000
WARM_BYTES = 4_000_000
SEGMENT_BYTES = 8_000_000
CHUNK_BYTES = 200_000
BATCH_EVENTS = 1_000
BATCH_BYTES = 900_000
DISK_RETRY_SECONDS = 1.0
DROPS_AT = 0.5
THINS_AT = 0.75

Entry = tuple[int, bytes]


@dataclass(slots=True)
class Segment:
    """One file of a spool.

    Attributes:
        last: Number of its last event.
        size: Bytes that hold.
        read_to: How far it was read back.
    """

    path: Path
    last: int = 0
    size: int = 0
    read_to: int = 0


class Spool:
    """The numbered queue between a job and its server. Thread-safe; one writes, one sends.

    Args:
        folder: The run's folder; None keeps everything in memory.
        attempt: The attempt whose events these are.
        writer: Who of the attempt counts the numbers.
        limit_bytes: The most that may wait on the disk.
        memory_bytes: The most that may wait in memory while the disk takes nothing.

    Attributes:
        last: Number of the newest event.
        acked: Number of the last event that the server has.
        lost: How many events the disk took and did not give back, and nobody was told of.
        changed: Notified after every change; held, it keeps everybody else out.
    """

    def __init__(
        self,
        folder: Path | None,
        attempt: int = 1,
        writer: str = "job",
        *,
        limit_bytes: int = LIMIT_BYTES,
        memory_bytes: int = MEMORY_BYTES,
        segment_bytes: int = SEGMENT_BYTES,
        warm_bytes: int = WARM_BYTES,
    ) -> None:
        self.folder = folder
        self.attempt = attempt
        self.writer = writer
        self.last = 0
        self.acked = 0
        self.lost = 0
        self._limit_bytes = limit_bytes
        self._memory_bytes = memory_bytes
        self._segment_bytes = segment_bytes
        self._warm_bytes = warm_bytes
        self.changed = threading.Condition()
        self._warm: deque[Entry] = deque()  # on the disk and in memory, the oldest
        self._warm_size = 0
        self._cold = 0  # how many come next, on the disk only
        self._seen = 0  # number of the newest event that was ever in `_warm`
        self._unwritten: deque[Entry] = deque()  # in memory only, the newest
        self._unwritten_size = 0
        self._segments: deque[Segment] = deque()
        self._foreign: deque[tuple[int, Path]] = deque()
        self._segment_number = 0
        self._file: int | None = None
        self._disk_again_at = 0.0 if folder else float("inf")
        self._marks = self._make_marks()

    def __len__(self) -> int:
        """How many events the server does not have."""
        return len(self._warm) + self._cold + len(self._unwritten)

    @property
    def is_empty(self) -> bool:
        """True when the server has all events, and was told of those that were lost."""
        with self.changed:
            return not len(self) and not self.lost

    # The writer's side

    def mark(self, key: str) -> None:
        """An item is about to begin. Costs a microsecond and outlives a kill of the process."""
        if self._marks:
            self._marks.note(key)

    def add(self, events: Sequence[bytes]) -> int:
        """Number events and write them down; returns the number of the first."""
        with self.changed:
            first = self.last + 1
            self._unwritten.extend(enumerate(events, first))
            self._unwritten_size += sum(map(len, events))
            self.last += len(events)
            self._write()
            self.changed.notify_all()
        return first

    @property
    def pressure(self) -> float:
        """How full it is; at 1 nothing more fits."""
        with self.changed:
            disk = sum(segment.size for segment in self._segments)
            return max(disk / self._limit_bytes, self._unwritten_size / self._memory_bytes)

    @property
    def urgency(self) -> int:
        """What to leave out: 0 nothing, 1 log lines and progress, 2 also most metrics."""
        pressure = self.pressure
        return (pressure >= DROPS_AT) + (pressure >= THINS_AT)

    def wait_for_room(self, seconds: float) -> bool:
        """Wait until something more fits; False when it still does not."""
        with self.changed:
            return self.changed.wait_for(lambda: self.pressure < 1.0, seconds)

    # The sender's side

    def wait(self, seconds: float) -> None:
        """Return when there is something to send, or `ring` was called, or time is up."""
        with self.changed:
            if not len(self):
                self.changed.wait(max(seconds, 0.0))

    def ring(self) -> None:
        """Wake the sender though there is nothing to send."""
        with self.changed:
            self.changed.notify_all()

    def batch(self) -> list[Entry]:
        """The oldest events, with consecutive numbers, up to the limits of one request."""
        with self.changed:
            if not self._warm and self._cold:
                self._read_back()
            batch: list[Entry] = []
            size = 0
            for entry in self._warm or self._unwritten:
                size += len(entry[1]) + 1
                is_gap = bool(batch) and entry[0] != batch[-1][0] + 1
                if batch and (is_gap or size > BATCH_BYTES or len(batch) == BATCH_EVENTS):
                    break
                batch.append(entry)
            return batch

    def acknowledge(self, number: int) -> None:
        """The server has all events up to this number."""
        with self.changed:
            self.acked = max(self.acked, number)
            while self._warm and self._warm[0][0] <= number:
                self._warm_size -= len(self._warm.popleft()[1])
            if not self._warm and not self._cold:
                while self._unwritten and self._unwritten[0][0] <= number:
                    self._unwritten_size -= len(self._unwritten.popleft()[1])
            if self._marks:
                self._marks.acknowledge(self.acked)
            self._tidy()
            if time.monotonic() >= self._disk_again_at:
                self._write()
            self.changed.notify_all()

    def close(self, *, is_run_over: bool = False) -> None:
        """Let go of the files. Those stay that a later attempt may need."""
        with self.changed:
            self._disk_again_at = min(self._disk_again_at, 0.0) if self.folder else self._disk_again_at
            self._write()
            self._disk_again_at = float("inf")
            self._let_go()
            is_over = not len(self)
            while is_over and self._segments:
                remove(self._segments.popleft().path)
            marks, self._marks = self._marks, None
        if marks:
            marks.close(is_over=is_over and is_run_over)

    # Files

    def adopt(self, path: Path, last: int, count: int) -> None:
        """Take over a segment that is written already: `count` events up to the number `last`."""
        with self.changed:
            self._let_go()
            size = path.stat().st_size
            self._segments.append(Segment(path, last, size))
            self._cold += count
            self.last = max(self.last, last)
            self.changed.notify_all()

    def remove_after(self, path: Path) -> None:
        """Remove an earlier process's file once the server has all that is here now."""
        with self.changed:
            self._foreign.append((self.last, path))
            self._tidy()

    @property
    def is_written(self) -> bool:
        """True when nothing is in memory only."""
        return not self._unwritten

    def next_path(self) -> Path:
        """Where the next segment belongs."""
        assert self.folder
        self._segment_number += 1
        return self.folder / segment_name(self.attempt, self.writer, self._segment_number)

    def _make_marks(self) -> Marks | None:
        if self.folder is None:
            return None
        try:
            return Marks(self.folder / marks_name(self.attempt, self.writer))
        except OSError:
            return None

    def _write(self) -> None:
        """Write down what is in memory only, as far as the disk takes it."""
        while self._unwritten and time.monotonic() >= self._disk_again_at:
            some: list[Entry] = []
            size = 0
            for entry in self._unwritten:
                some.append(entry)
                size += len(entry[1])
                if size >= BATCH_BYTES:
                    break
            try:
                self._write_lines(b"".join(record.line(*entry) for entry in some), some[-1][0])
            except OSError:
                self._disk_again_at = time.monotonic() + DISK_RETRY_SECONDS
                return
            for entry in some:
                self._unwritten.popleft()
                self._keep(entry)
            self._unwritten_size -= size
            if not self._cold:
                self._segments[-1].read_to = self._segments[-1].size

    def _keep(self, entry: Entry) -> None:
        """An event is on the disk: keep it in memory too, while there is room and none before it is not."""
        if not self._cold and self._warm_size < self._warm_bytes:
            self._warm.append(entry)
            self._warm_size += len(entry[1])
            self._seen = entry[0]
        else:
            self._cold += 1

    def _write_lines(self, lines: bytes, last: int) -> None:
        """Append to the newest segment; after an error the file holds what it held before."""
        if self._file is None or self._segments[-1].size >= self._segment_bytes:
            self._let_go()
            path = self.next_path()
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_TRUNC, 0o600)
            self._segments.append(Segment(path))
        segment = self._segments[-1]
        try:
            failpoint.reach("sdk.spool.write.before")
            if os.write(self._file, lines) < len(lines):
                raise OSError("the disk is full")
            failpoint.reach("sdk.spool.write.after")
        except OSError:
            try:
                os.ftruncate(self._file, segment.size)
            except OSError:  # half a line stays in it: nothing may come behind that
                self._let_go()
            raise
        segment.size += len(lines)
        segment.last = last

    def _read_back(self) -> None:
        """Bring the oldest events that are on the disk only back into memory."""
        for segment in self._segments:
            while segment.last > self._seen and not self._warm:
                try:
                    text, segment.read_to = _read_lines(segment, max(self._warm_bytes, CHUNK_BYTES))
                except OSError:
                    text = b""
                for number, event in record.read(text):
                    if number > self._seen:
                        self._seen = number
                        self._cold -= 1
                        if number > self.acked:
                            self._warm.append((number, event))
                            self._warm_size += len(event)
                if not text:
                    self._seen = segment.last
            if self._warm:
                return
        self.lost += self._cold
        self._cold = 0

    def _tidy(self) -> None:
        """Remove what the server has."""
        while self._foreign and self._foreign[0][0] <= self.acked:
            remove(self._foreign.popleft()[1])
        while self._segments and self._segments[0].last <= self.acked:
            segment = self._segments[0]
            if len(self._segments) > 1 or self._file is None:
                remove(self._segments.popleft().path)
                continue
            if segment.size:
                failpoint.reach("sdk.spool.truncate")
                try:
                    os.ftruncate(self._file, 0)
                except OSError:
                    self._let_go()
                    continue
                segment.size = segment.read_to = 0
            return

    def _let_go(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def segment_name(attempt: int, writer: str, number: int) -> str:
    """What a segment's file is called; `recovery` reads it."""
    return f"spool-{attempt}-{writer}-{number}.jsonl"


def marks_name(attempt: int, writer: str) -> str:
    """What the file of the marks is called."""
    return f"spool-{attempt}-{writer}.marks"


def _read_lines(segment: Segment, size: int) -> tuple[bytes, int]:
    """The next whole lines of a segment, and the place behind them."""
    with segment.path.open("rb") as file:
        file.seek(segment.read_to)
        text = file.read(min(size, segment.size - segment.read_to))
    end = text.rfind(b"\n") + 1
    return text[:end], segment.read_to + end


def remove(path: Path) -> None:
    """Remove a file, if the disk lets it go."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
