"""The same story over every transport: cut at random places, resumed, every event once and in order."""

from __future__ import annotations

import json
import random
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from pilothouse.model import event as e
from tests.web.clients import Job, Stream, a_job, frames_of, until, websocket
from tests.web.serving import Running

TOTAL = 2_000
Follow = Callable[[Running, Job, int, int], list[int]]


def by_sse(server: Running, job: Job, after: int, count: int) -> list[int]:
    """At most so many places, then cut."""
    places: list[int] = []
    headers = {"Last-Event-ID": f"{job.run.epoch}-{after}"}
    with Stream(server, f"{job.path}/events", headers) as stream:
        for frame in stream:
            assert frame.type not in ("gap", "reset")
            if frame.seq is not None:
                places.append(frame.seq)
            if len(places) >= count:
                break
    return places


def by_websocket(server: Running, job: Job, after: int, count: int) -> list[int]:
    """The same."""
    places: list[int] = []
    with websocket(server, f"{job.path}/ws?after={after}") as connection:
        for frame in frames_of(connection):
            assert frame.type not in ("gap", "reset")
            if frame.seq is not None:
                places.append(frame.seq)
            if len(places) >= count:
                with suppress(OSError):  # the server may have closed already
                    connection.socket.shutdown(socket.SHUT_RDWR)
                break
    return places


def by_poll(server: Running, job: Job, after: int, count: int) -> list[int]:
    """The same in one answer."""
    with server.client() as client:
        answer = client.get(f"{job.path}/events?after={after}&limit={count}&wait=2").json()
    return [event["seq"] for event in answer["events"]]


def by_browser(server: Running, job: Job, after: int, count: int) -> list[int]:
    """The same on the stream of all runs, which does not end with one of them."""
    places: list[int] = []
    with Stream(server, f"/api/stream?watch={job.id}:{after}") as stream:
        for frame in stream:
            if frame.seq is not None:
                assert frame.run_id == job.id
                places.append(frame.seq)
            if len(places) >= count or (places and places[-1] == TOTAL):
                break
    return places


TRANSPORTS: dict[str, list[Follow]] = {
    "sse": [by_sse],
    "websocket": [by_websocket],
    "poll": [by_poll],
    "browser": [by_browser],
    "any of them": [by_sse, by_websocket, by_poll, by_browser],
}


def write_in_bursts(job: Job, seed: int) -> None:
    """Fill a run's log up to its end, in pieces of random size."""
    chance = random.Random(seed)
    left = TOTAL - 3
    while left:
        burst = min(left, chance.choice((1, 1, 2, 7, 40, 300)))
        job.say(*(e.Note(feed="metrics", text=str(n)) for n in range(burst)))
        left -= burst
    job.say(e.RunCompleted())


@pytest.mark.rows("S1.21", "S2.20", "S2.90", "S3.91", "S4.90", "S4.92", "S5.85")
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", TRANSPORTS)
def test_whoever_reconnects_gets_every_event_once_and_in_order(server: Running, name: str, seed: int) -> None:
    job = a_job(server)
    chance = random.Random(seed)
    places: list[int] = []
    writer = threading.Thread(target=write_in_bursts, args=(job, seed))
    writer.start()

    while not places or places[-1] < TOTAL:
        follow = chance.choice(TRANSPORTS[name])
        places += follow(
            server, job, places[-1] if places else 0, chance.choice((1, 5, 60, 255, 256, 257, 900))
        )

    writer.join()
    assert places == list(range(1, TOTAL + 1))


@pytest.mark.rows("S1.32", "S1.68", "S4.4", "S4.73", "S5.3", "S5.7", "S5.12", "S5.50")
def test_fifty_watchers_of_one_run_get_the_same(server: Running) -> None:
    job = a_job(server)
    follows = [by_sse, by_websocket] * 25

    with ThreadPoolExecutor(50) as pool:
        watching = [pool.submit(follow, server, job, 0, TOTAL) for follow in follows]
        until(server, lambda: server.server.context.tails.watchers(job.id) == 50)
        write_in_bursts(job, 3)
        told = [each.result() for each in watching]

    assert all(places == list(range(1, TOTAL + 1)) for places in told)
    until(server, lambda: server.server.context.tails.watchers(job.id) == 0)


def stalled(server: Running, job: Job) -> socket.socket:
    """A connection that asks for the stream and does not read it."""
    url = urlsplit(server.url)
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(10)
    sock.connect((url.hostname or "", url.port or 0))
    head = f"GET {job.path}/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n"
    sock.sendall(f"{head}Authorization: Bearer {server.token}\r\n\r\n".encode())
    return sock


@pytest.mark.rows("S1.82", "S2.19", "S4.5", "S4.8")
def test_a_reader_that_stalls_gets_everything_later_and_holds_up_nobody(server: Running) -> None:
    job = a_job(server)
    text = "x" * 4_000

    with stalled(server, job) as slow:
        until(server, lambda: server.server.context.tails.watchers(job.id) == 1)
        with Stream(server, f"{job.path}/events?after=2") as quick:
            frames = iter(quick)
            next(frames)
            slowest = 0.0
            for number in range(500):
                began = time.monotonic()
                job.say(e.Note(feed="metrics", text=text))
                assert next(frames).seq == number + 3
                slowest = max(slowest, time.monotonic() - began)
        job.say(e.RunCompleted())
        received = unchunked(slow)

    assert received == list(range(1, 504))
    assert slowest < 2


def unchunked(sock: socket.socket) -> list[int]:
    """All places that a chunked response on a raw connection holds."""
    received = b""
    while not received.endswith(b"0\r\n\r\n"):
        chunk = sock.recv(65536)
        assert chunk, "the server closed before the end"
        received += chunk
    body, left = b"", received.partition(b"\r\n\r\n")[2]
    while left:
        size, _, left = left.partition(b"\r\n")
        body, left = body + left[: int(size, 16)], left[int(size, 16) + 2 :]
    return [
        seq
        for line in body.split(b"\n")
        if line.startswith(b"data: ") and (seq := json.loads(line[6:]).get("seq"))
    ]


def test_a_hundred_readers_that_stall_cost_little_and_leave_nothing(server: Running) -> None:
    job = a_job(server)
    slow = [stalled(server, job) for _ in range(100)]
    tails = server.server.context.tails
    until(server, lambda: tails.watchers(job.id) == 100)
    job.say(*(e.Note(feed="metrics", text="y" * 2_000) for _ in range(500)))

    places = by_sse(server, job, 0, 502)
    for sock in slow:
        sock.close()

    assert places == list(range(1, 503))
    until(server, lambda: tails.watchers(job.id) == 0)
