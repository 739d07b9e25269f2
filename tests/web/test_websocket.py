"""WebSocket: the same frames, controls upstream, and refusals that a client can read."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from pilothouse.model import event as e
from tests.web.clients import Job, Stream, a_job, call, frames_of, until, websocket
from tests.web.serving import Running


@pytest.fixture
def job(server: Running) -> Job:
    """A run with 12 events."""
    job = a_job(server)
    job.notes(10)
    return job


def ask(connection: ClientConnection, message: str | bytes) -> dict[str, Any]:
    """Send a message, read up to its answer."""
    connection.send(message)
    for frame in frames_of(connection):
        if frame.type == "answer":
            return frame.data
    raise AssertionError("no answer")


def test_a_websocket_tells_the_frames_of_the_event_stream(server: Running, job: Job) -> None:
    job.say(e.RunCompleted())

    with websocket(server, f"{job.path}/ws?after=3") as connection:
        frames = list(frames_of(connection))
        code = connection.close_code
    with Stream(server, f"{job.path}/events?after=3") as stream:
        streamed = list(stream)

    assert [(f.type, f.seq, f.run_id) for f in frames] == [(f.type, f.seq, f.run_id) for f in streamed]
    assert [f.data for f in frames[1:]] == [f.data for f in streamed[1:]]
    assert code == 1000


def test_news_arrive_while_one_listens(server: Running, job: Job) -> None:
    with websocket(server, f"{job.path}/ws?after=12") as connection:
        frames = frames_of(connection)
        hello = next(frames)
        job.notes(2)
        news = [next(frames), next(frames)]
        job.say(e.RunCompleted())
        rest = list(frames)

    assert hello.data["resumed_from"] == 12
    assert [frame.seq for frame in [*news, *rest]] == [13, 14, 15]


def test_a_place_of_another_log_is_reset(server: Running, job: Job) -> None:
    with websocket(server, f"{job.path}/ws?after=00000000-5") as connection:
        frames = frames_of(connection)
        opening = [next(frames) for _ in range(3)]

    assert [frame.type for frame in opening] == ["hello", "reset", "run.queued"]


def test_controls_come_upstream_and_are_answered(server: Running, job: Job) -> None:
    with websocket(server, f"{job.path}/ws?after=12") as connection:
        asked = ask(connection, '{"control": "pause"}')
        withdrawn = ask(connection, '{"control": "resume"}')
        forced = ask(connection, '{"control": "cancel", "force": true}')
        refused = ask(connection, '{"control": "pause"}')

    assert (asked["pending"], asked["changed"], asked["event_seq"]) == ("pause", True, 13)
    assert (withdrawn["pending"], withdrawn["changed"]) == (None, True)
    assert (forced["pending"], forced["effective"]) == ("cancel", "immediately")
    assert refused["error"]["code"] == "cancelling"


MALFORMED: list[str | bytes] = [
    "", "{", "[]", "null", '"pause"', "{}", '{"control": "stop"}', '{"control": {}}', '{"control": null}', b"\x00\xff",
    "[" * 4000, '{"control": "' + "x" * 10_000 + '"}', '{"control": "\\ud800"}', '{"control": NaN}',
]  # fmt: skip


def test_a_malformed_message_is_answered_and_the_stream_goes_on(server: Running, job: Job) -> None:
    with websocket(server, f"{job.path}/ws?after=12") as connection:
        answers = [ask(connection, message) for message in MALFORMED]
        job.notes(1)
        frames = frames_of(connection)
        news = next(frame for frame in frames if frame.seq)

    assert all(answer["error"]["code"] == "invalid" for answer in answers)
    assert news.seq == 13
    until(server, lambda: server.server.context.tails.watchers(job.id) == 0)
    assert job.run.head == 13


def test_who_leaves_is_forgotten(server: Running, job: Job) -> None:
    tails = server.server.context.tails

    for _ in range(50):
        with websocket(server, f"{job.path}/ws") as connection:
            next(frames_of(connection))

    until(server, lambda: tails.all == [])


@pytest.mark.parametrize(
    "path", ["/api/runs/nobody/ws", "/api/runs/@last/ws?after=x", "/api/ws?watch=a:b", "/api/x"]
)
def test_a_websocket_to_nowhere_does_not_open(server: Running, job: Job, path: str) -> None:
    with pytest.raises((InvalidStatus, ConnectionClosed)), websocket(server, path) as connection:
        connection.recv()


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("/api/runs/nobody/ws", b"", 4404),
        ("/api/runs/@last/ws", b"after=x", 4422),
        ("/api/ws", b"watch=a:b", 4422),
    ],
)
def test_a_refusal_has_a_code_of_its_own(
    server: Running, job: Job, path: str, query: bytes, code: int
) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        await asyncio.sleep(0)
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost"), (b"authorization", b"Bearer " + server.token.encode())]
    scope = {"type": "websocket", "path": path, "query_string": query, "headers": headers, "scheme": "ws"}
    call(server, server.server.app(scope, receive, send))  # type: ignore[arg-type]

    assert [(message["type"], message["code"]) for message in sent] == [("websocket.close", code)]


def test_a_heartbeat_is_a_message(server: Running, job: Job) -> None:
    with websocket(server, f"{job.path}/ws?after=12") as connection:
        frames = frames_of(connection)
        next(frames)
        tail = server.server.context.tails.all[0]
        until(server, lambda: bool(tail.sleeping))
        server.loop.call_soon_threadsafe(tail.beat)
        beat = json.loads(connection.recv())

    assert beat == {"type": "heartbeat", "data": {}}
