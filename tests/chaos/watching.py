"""The proof of G2: watchers behind a bad network see every event once and in order, or are told what is gone.

A writer fills one log through a server that is killed meanwhile. Watchers read it
through a proxy that cuts, stalls, splits and refuses, with a transport chosen anew
at each connection. Afterwards what each has seen is compared with the log.

By hand: `python -m tests.chaos.watching [seed]`.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from random import Random
from typing import Any
from zlib import crc32

from websockets.exceptions import WebSocketException

from pilothouse.sdk.wire import Wire
from tests.chaos.proxy import Proxy
from tests.chaos.served import Served
from tests.web.clients import Frame, Stream, websocket_within

UNREACHABLE = (OSError, EOFError, HTTPException, WebSocketException)
PATIENCE_SECONDS = 1.0
HANG_SECONDS = 120.0
LEADS = (20, 300, 3_000)


class Deadline:
    """When everybody gives up: after so long, or as soon as one has failed."""

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds

    def check(self, what: str) -> None:
        """Fail when it is over."""
        assert time.monotonic() < self.end, what

    def wait(self, done: list[Future[None]]) -> None:
        """Wait for all; what the first that fails raises is raised."""
        finished, _ = wait(done, return_when=FIRST_EXCEPTION)
        failed = [each for each in finished if each.exception()]
        if failed:
            self.end = 0
            failed[0].result()


@dataclass(frozen=True, slots=True)
class Address:
    """Where watchers think the server is."""

    url: str
    token: str


@dataclass
class Watcher:
    """One client, and all that it was told.

    Attributes:
        seen: The places of the events, in the order in which they came.
        sums: A checksum of each event's data.
        gaps: What it was told is gone.
        resets: How often it was told that the log is another one.
        did: How often it connected by each transport, and was cut off.
    """

    address: Address
    run: str
    chance: Random
    place: int = 0
    epoch: str = ""
    is_done: bool = False
    seen: list[int] = field(default_factory=list)
    sums: list[int] = field(default_factory=list)
    gaps: list[tuple[int, int]] = field(default_factory=list)
    resets: int = 0
    did: Counter[str] = field(default_factory=Counter)

    def follow(self, deadline: Deadline) -> None:
        """Read until the run has ended, over any transport, however often it takes."""
        while not self.is_done:
            deadline.check(f"a watcher stands at {self.place}")
            name = self.chance.choice(list(READ))
            self.did[name] += 1
            left = self.chance.choice((1, 30, 256, 1_000, 1 << 30))
            try:
                for frame in READ[name](self):
                    self.take(frame)
                    left -= frame.seq is not None
                    deadline.check("another one has failed")
                    if self.is_done or left <= 0:
                        break
            except UNREACHABLE:
                self.did["cut off"] += 1
                threading.Event().wait(self.chance.uniform(0, 0.05))

    def take(self, frame: Frame) -> None:
        """Note a frame."""
        match frame.type:
            case "hello":
                self.epoch = frame.data.get("epoch", self.epoch)
            case "gap":
                self.gaps.append((frame.data["from"], frame.data["to"]))
                self.place = frame.data["to"]
            case "reset":
                self.resets += 1
                self.place = 0
        if frame.seq is not None:
            self.seen.append(frame.seq)
            self.sums.append(sum_of(frame.data))
            self.place = frame.seq
            self.is_done = frame.type == "run.completed"

    @property
    def known_place(self) -> str:
        """The place as it is written in an address."""
        return f"{self.epoch}-{self.place}" if self.epoch else str(self.place)


def by_sse(watcher: Watcher) -> Iterator[Frame]:
    """One stream, begun in one of the two ways."""
    path = f"/api/runs/{watcher.run}/events"
    if watcher.chance.random() < 0.5:
        opened = Stream(watcher.address, path, {"Last-Event-ID": watcher.known_place}, PATIENCE_SECONDS)
    else:
        opened = Stream(watcher.address, f"{path}?after={watcher.known_place}", None, PATIENCE_SECONDS)
    with opened as stream:
        yield from stream


def by_browser(watcher: Watcher) -> Iterator[Frame]:
    """The stream of all runs."""
    path = f"/api/stream?watch={watcher.run}:{watcher.known_place}"
    with Stream(watcher.address, path, None, PATIENCE_SECONDS) as stream:
        yield from stream


def by_websocket(watcher: Watcher) -> Iterator[Frame]:
    """One socket."""
    yield from _socket(watcher, f"/api/runs/{watcher.run}/ws?after={watcher.known_place}")


def by_browser_socket(watcher: Watcher) -> Iterator[Frame]:
    """The socket of all runs."""
    yield from _socket(watcher, f"/api/ws?watch={watcher.run}:{watcher.known_place}")


def _socket(watcher: Watcher, path: str) -> Iterator[Frame]:
    with websocket_within(PATIENCE_SECONDS, watcher.address, path) as connection:
        while True:
            yield Frame.parse(str(connection.recv(PATIENCE_SECONDS)))


def by_poll(watcher: Watcher) -> Iterator[Frame]:
    """One answer, which is taken whole or not at all."""
    wire = Wire(watcher.address.url, watcher.address.token, PATIENCE_SECONDS)
    limit = watcher.chance.choice((1, 100, 5_000))
    query = f"after={watcher.known_place}&limit={limit}&wait=1"
    try:
        answer = wire.request("GET", f"/api/runs/{watcher.run}/events?{query}")
        if not answer.is_ok:
            raise HTTPException(answer.status)
    finally:
        wire.close()
    told = answer.json()
    for name in ("reset", "gap"):
        if name in told:
            yield Frame(name, told[name])
    for event in told["events"]:
        yield Frame(event["type"], event["data"], run_id=event["run_id"], seq=event["seq"])


READ: dict[str, Callable[[Watcher], Iterator[Frame]]] = {
    "sse": by_sse,
    "browser": by_browser,
    "websocket": by_websocket,
    "browser socket": by_browser_socket,
    "poll": by_poll,
}


class Writer:
    """Plays the job of one run; each batch is sent until the server has it."""

    def __init__(self, served: Served, chance: Random) -> None:
        self._served = served
        self._chance = chance
        self._wire = Wire(served.url, served.token, 10.0)
        self.run = self._call("POST", "/api/runs", {"kind": "counting"})["id"]
        self._call("POST", "/api/hosts/chaos/claim", {"slots": 1, "running": [], "wait": 5})
        self.written = 0
        self.repeated = 0

    def write(self, total: int, watchers: list[Watcher], deadline: Deadline) -> None:
        """Write so many events and the end, never far ahead of the slowest watcher."""
        while self.written < total:
            count = min(total - self.written, self._chance.choice((1, 3, 20, 150)))
            self._append([self._event(n) for n in range(self.written, self.written + count)])
            self.written += count
            lead = self._chance.choice(LEADS)
            while self.written - min(w.place for w in watchers) > lead:
                deadline.check("the watchers do not come along")
                threading.Event().wait(0.002)
        self._append([{"type": "run.completed", "data": {}}])
        self._wire.close()

    def log(self) -> list[dict[str, Any]]:
        """The whole log, as the server has it in the end."""
        events: list[dict[str, Any]] = []
        while batch := self._call("GET", f"/api/runs/{self.run}/events?after={len(events)}")["events"]:
            events += batch
        self._wire.close()
        return events

    def _event(self, number: int) -> dict[str, Any]:
        text = "x" * self._chance.choice((10, 100, 900))
        return {"type": "log", "data": {"text": f"{number} {text}", "source": "chaos", "level": "info"}}

    def _append(self, events: list[dict[str, Any]]) -> None:
        body = {"attempt": 1, "client_seq": self.written + 1, "events": events}
        self._call("POST", f"/api/runs/{self.run}/events", body)

    def _call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        end = time.monotonic() + HANG_SECONDS
        while True:
            with suppress(OSError, HTTPException):
                answer = self._wire.request(method, path, None if body is None else json.dumps(body).encode())
                if answer.is_ok:
                    return answer.json()
                assert answer.status >= 500, answer.body
            assert time.monotonic() < end, f"{method} {path} is not answered"
            self.repeated += 1
            threading.Event().wait(0.02)


@dataclass(frozen=True, slots=True)
class Proof:
    """What was done, and what came of it."""

    seed: int
    watchers: int
    events: int
    kills: int
    network: dict[str, int]
    transports: dict[str, int]
    gaps: int
    resets: int
    lost: int
    doubled: int
    out_of_order: int
    altered: int
    seconds: float

    @property
    def is_kept(self) -> bool:
        """Whether every watcher got every event once, in order, as it was written."""
        return not (self.lost or self.doubled or self.out_of_order or self.altered)


def prove(data: Path, seed: int, *, watchers: int, events: int, kills: int) -> Proof:
    """Fill a log, kill the server meanwhile, and compare what each watcher has seen with the log."""
    chance, began = Random(seed), time.monotonic()
    deadline = Deadline(HANG_SECONDS + events / 20)
    with Served(data, heartbeat_seconds=0.25) as served, Proxy(served.port, seed) as proxy:
        writer = Writer(served, chance)
        address = Address(f"http://127.0.0.1:{proxy.port}", served.token)
        watching = [Watcher(address, writer.run, Random(f"{seed}/{n}")) for n in range(watchers)]
        with ThreadPoolExecutor(watchers + 2) as pool:
            work = [pool.submit(watcher.follow, deadline) for watcher in watching]
            work.append(pool.submit(writer.write, events, watching, deadline))
            work.append(pool.submit(kill, served, writer, events, kills, deadline))
            deadline.wait(work)
        log = writer.log()
    return judged(seed, log, watching, proxy, kills, time.monotonic() - began)


def kill(served: Served, writer: Writer, events: int, kills: int, deadline: Deadline) -> None:
    """SIGKILL the server at so many places of the log, and start it again."""
    for number in range(1, kills + 1):
        while writer.written < events * number / (kills + 1):
            deadline.check("the writer does not come along")
            threading.Event().wait(0.001)
        served.stop()
        served.start()


def judged(
    seed: int,
    log: list[dict[str, Any]],
    watching: list[Watcher],
    proxy: Proxy,
    kills: int,
    seconds: float,
) -> Proof:
    """Compare what each watcher has seen with the log."""
    written = {event["seq"]: sum_of(event["data"]) for event in log}
    found: Counter[str] = Counter()
    for watcher in watching:
        gone = {seq for first, last in watcher.gaps for seq in range(first, last + 1)}
        times = Counter(watcher.seen)
        found["lost"] += len(written.keys() - times.keys() - gone)
        found["doubled"] += sum(times.values()) - len(times)
        found["out of order"] += sum(b <= a for a, b in zip(watcher.seen, watcher.seen[1:], strict=False))
        found["altered"] += sum(
            written.get(seq) != told for seq, told in zip(watcher.seen, watcher.sums, strict=True)
        )
    return Proof(
        seed=seed,
        watchers=len(watching),
        events=len(log),
        kills=kills,
        network=dict(proxy.did),
        transports=dict(sum((watcher.did for watcher in watching), Counter())),
        gaps=sum(len(watcher.gaps) for watcher in watching),
        resets=sum(watcher.resets for watcher in watching),
        lost=found["lost"],
        doubled=found["doubled"],
        out_of_order=found["out of order"],
        altered=found["altered"],
        seconds=round(seconds, 1),
    )


def sum_of(data: Any) -> int:
    """A checksum of an event's data."""
    return crc32(json.dumps(data, sort_keys=True).encode())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
        print(prove(Path(folder), seed, watchers=5, events=20_000, kills=3))
