"""One watcher of the load generator: a socket, and what has been checked of it."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass, field

from benchmarks.canon import Canon

_SAID = re.compile(rb'"seq": ?(\d+),[^\n]*?"t": ?([0-9.]+)')


@dataclass
class Tally:
    """What a group of watchers saw since the last look."""

    delivered: int = 0
    lost: int = 0
    repeated: int = 0
    wrong: int = 0
    writes: int = 0
    bytes: int = 0
    last_at: float = 0.0
    samples: list[tuple[float, float]] = field(default_factory=list)


class Connection:
    """A client that reads a stream as fast as it comes."""

    def __init__(self, sock: socket.socket, after: int) -> None:
        self.sock = sock
        self.seq = after
        self.is_open = False
        self.has_ended = False
        self._rest = b""

    def feed(self, buffer: bytearray, view: memoryview, count: int, now: float, tally: Tally) -> None:
        """Take what was read, `buffer[:count]`."""
        raise NotImplementedError

    def _head(self, buffer: bytearray, count: int) -> int:
        """Skip the response's head; where the body begins, or -1."""
        self._rest += bytes(buffer[:count])
        end = self._rest.find(b"\r\n\r\n")
        if end < 0:
            return -1
        if b" 200 " not in self._rest[:16] and b" 101 " not in self._rest[:16]:
            raise RuntimeError(f"the server answers {self._rest[:300]!r}")
        begin = end + 4 - (len(self._rest) - count)
        self._rest = b""
        self.is_open = True
        return begin


class Exact(Connection):
    """Compares every byte of a chunked SSE stream with the canon."""

    def __init__(self, sock: socket.socket, canon: Canon) -> None:
        super().__init__(sock, canon.after)
        self._canon = canon
        self._place = 0
        self._events = 0
        self._left = 0
        self._skip = 0
        self._is_log = False

    def feed(self, buffer: bytearray, view: memoryview, count: int, now: float, tally: Tally) -> None:
        """Walk through the chunks."""
        at = 0
        if not self.is_open:
            at = self._head(buffer, count)
            if at < 0:
                return
        elif self._rest:
            buffer = bytearray(self._rest) + buffer[:count]
            view, count, self._rest = memoryview(buffer), len(self._rest) + count, b""
        before = self._place
        while at < count:
            if self._left:
                at = self._body(view, at, count, tally)
            elif self._skip:
                step = min(self._skip, count - at)
                self._skip -= step
                at += step
            else:
                start = self._chunk(buffer, at, count)
                if start < 0:
                    self._rest = bytes(buffer[at:count])
                    break
                tally.writes += self._is_log
                at = start
        if self._place != before:
            self._count(now, tally)

    def _chunk(self, buffer: bytearray, at: int, count: int) -> int:
        end = buffer.find(b"\r\n", at, min(at + 20, count))
        if end < 0:
            return -1
        size = int(buffer[at:end], 16)
        if size == 0:
            self.has_ended = True
            return count
        if count - end - 2 < min(size, 4):
            return -1
        self._left, self._skip = size, 2
        self._is_log = buffer.startswith(b"id: ", end + 2)
        return end + 2

    def _body(self, view: memoryview, at: int, count: int, tally: Tally) -> int:
        step = min(self._left, count - at)
        if self._is_log:
            if not self._canon.check(self._place, view[at : at + step]):
                tally.wrong += 1
            self._place += step
            tally.bytes += step
        self._left -= step
        return at + step

    def _count(self, now: float, tally: Tally) -> None:
        events = self._canon.events(self._place)
        if events > self._events:
            tally.samples += self._canon.latencies(self._events, events, now)
            tally.delivered += events - self._events
            tally.last_at = now
            self._events = events
            self.seq = self._canon.seq(events)


class Counting(Connection):
    """Reads the `seq` of every event, whatever the framing: for servers that drop some."""

    def feed(self, buffer: bytearray, view: memoryview, count: int, now: float, tally: Tally) -> None:
        """Find the events."""
        at = 0
        if not self.is_open:
            at = self._head(buffer, count)
            if at < 0:
                return
        data = self._rest + bytes(buffer[at:count])
        done = 0
        for match in _SAID.finditer(data):
            seq = int(match[1])
            tally.lost += max(0, seq - self.seq - 1)
            tally.repeated += seq <= self.seq
            tally.delivered += 1
            tally.samples.append((now - float(match[2]), 1.0))
            tally.last_at = now
            self.seq = max(self.seq, seq)
            done = match.end()
        self._rest = data[done:][-4096:]
        tally.writes += 1
        tally.bytes += count


class Deaf(Connection):
    """Sends its request and never reads."""

    def __init__(self, sock: socket.socket, after: int) -> None:
        super().__init__(sock, after)
        self.is_open = True
