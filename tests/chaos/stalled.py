"""The proof of G9: readers that stall cost the server little, and the other watchers nothing.

A hundred readers connect over every transport and read nothing while a run emits.
The latency of healthy watchers is measured without them, with them, and without
them again; the server's memory, descriptors and tasks before, meanwhile and after.
A second part connects and leaves thousands of times, properly and not.

By hand: `python -m tests.chaos.stalled`.
"""

from __future__ import annotations

import json
import re
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from random import Random
from typing import Any

from pilothouse.sdk.wire import Wire
from tests.chaos.readers import TRANSPORTS, Reader
from tests.chaos.served import Counts, Served

HEALTHY = ("sse", "websocket", "browser", "browser socket") * 2
BATCH = 50
BATCH_SECONDS = 0.025
TEXT = "x" * 900
MARK = re.compile(rb"@([0-9]+\.[0-9]+)@")
END = b"run.completed"
BUFFER = 1024 * 1024
FILL = 1_500
HANG_SECONDS = 150.0


@dataclass(frozen=True, slots=True)
class Stalled:
    """What was done, what it cost, and what came of it."""

    readers: dict[str, int]
    events: int
    before: Counts
    held: Counts
    peak_mib: float
    after: Counts
    release_seconds: float
    without: str
    among: str
    again: str


@dataclass(frozen=True, slots=True)
class Cycled:
    """How often clients came and went, and what is left of them."""

    cycles: int
    did: dict[str, int]
    before: Counts
    after: Counts
    seconds: float


def until(is_true: Callable[[], bool], what: str) -> None:
    """Look until it is so."""
    end = time.monotonic() + HANG_SECONDS
    while not is_true():
        assert time.monotonic() < end, what
        threading.Event().wait(0.05)


def is_left(served: Served) -> bool:
    """Whether nobody is connected, and nothing is at work for somebody who was."""
    counts = served.counts()
    return (
        counts.connections == counts.watchers == counts.tails == 0 and counts.tasks <= served.idle_tasks + 1
    )


class Emitter:
    """Plays the jobs of a server: runs that emit events of a kilobyte at a steady pace."""

    def __init__(self, served: Served) -> None:
        self._wire = Wire(served.url, served.token, 30.0)
        self._said: Counter[str] = Counter()

    def begin(self) -> str:
        """A run whose attempt has begun, with a log that is more than a connection holds."""
        run_id: str = self._call("/api/runs", {"kind": "counting"})["id"]
        self._call("/api/hosts/chaos/claim", {"slots": 1, "running": [], "wait": 5})
        for _ in range(FILL // 500):
            self._append(run_id, [{"type": "log", "data": {"text": TEXT}}] * 500)
        return run_id

    def emit(self, run_id: str, count: int, at_half: Callable[[], None]) -> None:
        """Emit so many events; the last one of each batch says when it was written."""
        due, half = time.monotonic(), count // 2 // BATCH * BATCH + 1
        for first in range(1, count + 1, BATCH):
            if first == half:
                at_half()
            threading.Event().wait(max(0.0, due - time.monotonic()))
            due += BATCH_SECONDS
            texts = [TEXT] * (min(BATCH, count + 1 - first) - 1)
            texts.append(f"@{time.monotonic():.6f}@{TEXT}")
            self._append(run_id, [{"type": "log", "data": {"text": text}} for text in texts])
        self._append(run_id, [{"type": "run.completed", "data": {}}])

    def close(self) -> None:
        """Close the connection."""
        self._wire.close()

    def _append(self, run_id: str, events: list[dict[str, Any]]) -> None:
        body = {"attempt": 1, "client_seq": self._said[run_id] + 1, "events": events}
        self._call(f"/api/runs/{run_id}/events", body)
        self._said[run_id] += len(events)

    def _call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self._wire.request("POST", path, json.dumps(body).encode())
        assert answer.is_ok, answer.body
        return answer.json()


def latencies(reader: Reader) -> list[float]:
    """Seconds from the writing of each marked event to its arrival, until the run has ended."""
    found, rest = [], b""
    with reader:
        is_over = False
        while not is_over:
            data = reader.sock.recv(262_144)
            assert data, "the server closed before the end"
            now, rest = time.monotonic(), rest + data
            is_over = END in rest
            last = 0
            for mark in MARK.finditer(rest):
                found.append(now - float(mark[1]))
                last = mark.end()
            rest = rest[max(last, len(rest) - 64) :]
    return found


def measured(
    served: Served, emitter: Emitter, run_id: str, events: int, at_half: Callable[[], None] = lambda: None
) -> list[float]:
    """The latencies of all healthy watchers of a run that emits."""
    with ThreadPoolExecutor(len(HEALTHY)) as pool:
        reading: list[Future[list[float]]] = []
        for transport in HEALTHY:
            reader = Reader(served.port, served.token, transport, run_id, FILL, BUFFER)
            reader.answered()
            reading.append(pool.submit(latencies, reader))
        emitter.emit(run_id, events, at_half)
        return [seconds for each in reading for seconds in each.result()]


def quantiles(seconds: list[float]) -> str:
    """The median and the 99th percentile in milliseconds."""
    line = sorted(seconds)
    return " / ".join(f"{line[int(len(line) * share)] * 1000:.0f}" for share in (0.5, 0.99))


def stall(served: Served, readers: int, run_id: str, large: str) -> list[Reader]:
    """Connect so many who will not read: streams of a run, and polls with a large answer."""
    chosen = islice(cycle(TRANSPORTS), readers)
    slow = [Reader(served.port, served.token, name, large if name == "poll" else run_id) for name in chosen]
    until(lambda: served.counts().full == readers, "everybody is full")
    return slow


def prove_stalled(data: Path, *, readers: int, events: int, stall_seconds: float) -> Stalled:
    """Let readers stall while a run emits."""
    with Served(data, stall_seconds=stall_seconds) as served, ExitStack() as stack:
        emitter = Emitter(served)
        stack.callback(emitter.close)
        large = warm_up(served, emitter, readers, events)
        without = measured(served, emitter, emitter.begin(), events)
        emitter.close()
        until(lambda: is_left(served), "the healthy watchers are gone")
        before, peak, held = served.counts(), Peak(served), list[Counts]()

        run_id = emitter.begin()
        slow = stall(served, readers, run_id, large)
        among = measured(served, emitter, run_id, events, lambda: held.append(served.counts()))
        emitter.close()
        ended = time.monotonic()
        until(lambda: is_left(served), "those who stall are given up")
        released = time.monotonic() - ended
        after = served.counts()
        for reader in slow:
            reader.sock.close()

        again = measured(served, emitter, emitter.begin(), events)
        return Stalled(
            readers=dict(Counter(reader.transport for reader in slow)),
            events=events,
            before=before,
            held=held[0],
            peak_mib=peak.stop(),
            after=after,
            release_seconds=round(released, 1),
            without=quantiles(without),
            among=quantiles(among),
            again=quantiles(again),
        )


def warm_up(served: Served, emitter: Emitter, readers: int, events: int) -> str:
    """Fill the caches, and let the allocator see the most that is asked of it; gives a run with a long log."""
    large = emitter.begin()
    measured(served, emitter, large, events)
    run_id = emitter.begin()
    slow = stall(served, readers, run_id, large)
    measured(served, emitter, run_id, events)
    emitter.close()
    for reader in slow:
        reader.reset()
    until(lambda: is_left(served), "the first who stall are gone")
    return large


class Peak:
    """The most memory that a server has, looked at ten times a second."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._most = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        """The most in MiB."""
        self._stop.set()
        self._thread.join()
        return round(self._most, 1)

    def _look(self) -> None:
        while not self._stop.wait(0.1):
            self._most = max(self._most, self._served.rss_mib())


def prove_cycles(data: Path, seed: int, *, cycles: int) -> Cycled:
    """Connect and leave so often, over every transport, with and without a word."""
    chance = Random(seed)
    with Served(data) as served, ExitStack() as stack:
        emitter = Emitter(served)
        stack.callback(emitter.close)
        run_id = emitter.begin()
        emitter.close()
        come_and_go(served, run_id, chance, max(50, cycles // 10))  # warms up
        until(lambda: is_left(served), "the first have left")
        before, began = served.counts(), time.monotonic()
        did = come_and_go(served, run_id, chance, cycles)
        seconds = time.monotonic() - began
        until(lambda: is_left(served), "everybody has left")
        return Cycled(cycles, dict(did), before, served.counts(), round(seconds, 1))


def come_and_go(served: Served, run_id: str, chance: Random, cycles: int) -> Counter[str]:
    """Clients one after the other; some do not wait for an answer."""
    did: Counter[str] = Counter()
    for _ in range(cycles):
        transport = chance.choice(list(TRANSPORTS))
        reader = Reader(served.port, served.token, transport, run_id, chance.randrange(FILL))
        did[transport] += 1
        if chance.random() < 0.7:
            with suppress(OSError):
                reader.answered()
            did["answered"] += 1
        leave = chance.choice([reader.close, reader.reset])
        did[leave.__name__] += 1
        leave()
    return did


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        print(prove_stalled(Path(folder) / "a", readers=100, events=20_000, stall_seconds=30))
        print(prove_cycles(Path(folder) / "b", 1, cycles=5_000))
