"""A server that stops: everybody is told, every stream ends in time, and comes back elsewhere."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pilothouse.kinds import builtin
from pilothouse.model import event as e
from pilothouse.transports.service import RETRY_LEAST_MS, RETRY_MOST_MS, bye
from tests.web.clients import Frame, Job, Stream, a_job, call, frames_of, until, websocket
from tests.web.serving import COUNTING, Running, running

IN_TIME = 3.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    """A server of its own, since it is stopped."""
    with running(tmp_path, {**builtin(), "counting": COUNTING}, lease_seconds=600) as server:
        yield server


def stop(server: Running) -> None:
    """Tell the server to end its streams."""
    server.loop.call_soon_threadsafe(server.server.stop_streams)


def listen_sse(server: Running, path: str) -> list[Frame]:
    """All frames until the stream ends."""
    with Stream(server, path) as stream:
        return list(stream)


def listen_websocket(server: Running, path: str) -> tuple[list[Frame], int | None]:
    """All frames until the socket closes, and its code."""
    with websocket(server, path) as connection:
        return list(frames_of(connection)), connection.close_code


def asleep(server: Running, job: Job, count: int) -> bool:
    """Whether so many watchers have seen everything and sleep."""
    sleeping = [len(tail.sleeping) for tail in server.server.context.tails.all if tail.run_id == job.id]
    return sum(sleeping) == count


def test_every_stream_says_goodbye_and_ends_in_time(server: Running) -> None:
    job = a_job(server)
    fleet = server.server.context.fleet

    with ThreadPoolExecutor(4) as pool:
        sse = pool.submit(listen_sse, server, f"{job.path}/events")
        socket = pool.submit(listen_websocket, server, f"{job.path}/ws")
        browser = pool.submit(listen_sse, server, f"/api/stream?watch={job.id}:2")
        browser_socket = pool.submit(listen_websocket, server, f"/api/ws?watch={job.id}:2")
        until(server, lambda: asleep(server, job, 4) and len(fleet.sleeping) == 2)
        began = time.monotonic()
        stop(server)
        frames = [sse.result(), browser.result(), socket.result()[0], browser_socket.result()[0]]
        took = time.monotonic() - began

    assert [each[-1].type for each in frames] == ["bye"] * 4
    assert all(each[-1].data["retry_ms"] > 0 and each[-1].id is None for each in frames)
    assert (socket.result()[1], browser_socket.result()[1]) == (1001, 1001)
    assert took < IN_TIME


def test_whoever_waits_is_answered_when_the_server_stops(server: Running) -> None:
    job = a_job(server)

    def post(path: str, body: Any) -> Any:
        with server.client() as client:
            return client.post(path, json=body).json()

    def get(path: str) -> Any:
        with server.client() as client:
            return client.get(path).json()

    with ThreadPoolExecutor(3) as pool:
        poll = pool.submit(get, f"{job.path}/events?after=2&wait=25")
        claim = pool.submit(post, "/api/hosts/lab/claim", {"slots": 1, "wait": 25})
        wire = pool.submit(listen_wire, server, job)
        ears = server.server.context.engine.doorbell._ears
        until(server, lambda: len(ears.get(job.id, ())) == 2 and "*" in ears)
        began = time.monotonic()
        stop(server)
        answers = [poll.result()["events"], claim.result(), wire.result()]
        took = time.monotonic() - began

    assert answers[:2] == [[], {"orders": [], "stop": [], "dump": []}]
    assert len(answers[2]) == 1
    assert took < IN_TIME


def listen_wire(server: Running, job: Job) -> list[Any]:
    """All that a job's control wire says."""
    with Stream(server, f"{job.path}/controls?attempt=1") as stream:
        return list(stream.messages())


def test_a_dialect_s_stream_ends_too(server: Running) -> None:
    with server.client() as client:
        body = {
            "prompts": [{"name": "p", "template": "{code} {votes} {answer}"}],
            "test_cases": [{"id": "a", "vote": "SAFE", "code": "x"}],
            "models": [{"name": "m"}],
        }
        job = Job(server, client.post("/tuning/runs", json=body).json()["id"])

    with Stream(server, f"/tuning/runs/{job.id}/stream") as stream:
        messages = stream.messages()
        next(messages)
        stop(server)
        rest = list(messages)

    assert rest == []


def test_a_stream_that_opens_while_the_server_stops_is_sent_away_with_its_events(server: Running) -> None:
    job = a_job(server)
    call(server, _now(server))

    frames = listen_sse(server, f"{job.path}/events")

    assert [frame.type for frame in frames] in (
        ["hello", "bye"],
        ["hello", "run.queued", "run.started", "bye"],
    )


async def _now(server: Running) -> None:
    server.server.stop_streams()


def test_a_run_that_has_ended_needs_no_goodbye(server: Running) -> None:
    job = a_job(server)
    job.say(e.RunCompleted())

    frames = listen_sse(server, f"{job.path}/events")

    assert frames[-1].type == "run.completed"


def test_a_reader_that_stalls_does_not_keep_the_server(tmp_path: Path) -> None:
    import socket
    from urllib.parse import urlsplit

    with running(tmp_path / "other", lease_seconds=600) as server:
        job = a_job(server)
        job.say(*(e.Note(feed="metrics", text="x" * 20_000) for _ in range(400)))
        url = urlsplit(server.url)
        sock = socket.create_connection((url.hostname or "", url.port or 0))
        head = f"GET {job.path}/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n"
        sock.sendall(f"{head}Authorization: Bearer {server.token}\r\n\r\n".encode())
        until(server, lambda: server.server.context.tails.watchers(job.id) == 1)
        began = time.monotonic()

    sock.close()
    assert time.monotonic() - began < 10


@pytest.mark.rows("S4.88")
def test_clients_go_on_at_the_server_that_follows(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"database": f"sqlite:///{tmp_path}/p.db", "lease_seconds": 600}
    places: list[int] = []

    with running(tmp_path, **settings) as first:
        job = a_job(first)
        job.notes(100)
        epoch = job.run.epoch
        with Stream(first, f"{job.path}/events") as stream:
            frames = iter(stream)
            for frame in frames:
                places += [frame.seq] if frame.seq else []
                if len(places) == 60:
                    break
    with running(tmp_path, **settings) as second:
        again = Job(second, job.id)
        again.notes(10)
        again.say(e.RunCompleted())
        headers = {"Last-Event-ID": f"{epoch}-{places[-1]}"}
        with Stream(second, f"{job.path}/events", headers) as stream:
            opening, *rest = list(stream)

    assert opening.data["resumed_from"] == 60
    assert places + [frame.seq for frame in rest] == list(range(1, 114))


def test_a_thousand_clients_are_told_a_thousand_times_to_come_back() -> None:
    waits = [json.loads(bye())["data"]["retry_ms"] for _ in range(4_000)]

    tenths = Counter((wait - RETRY_LEAST_MS) * 10 // (RETRY_MOST_MS - RETRY_LEAST_MS) for wait in waits)
    assert set(tenths) == set(range(10))
    assert max(tenths.values()) < 2 * 400


@pytest.mark.rows("S1.43")
def test_a_stream_tells_a_plain_event_source_when_to_come_back(server: Running) -> None:
    job = a_job(server)

    for path in (f"{job.path}/events", f"/api/stream?watch={job.id}"):
        with Stream(server, path) as stream:
            first = stream.response.readline()

        assert first.startswith(b"retry: ")
        assert RETRY_LEAST_MS <= int(first[7:]) < RETRY_MOST_MS
