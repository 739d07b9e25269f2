"""WebSocket: the same frames, controls upstream, and refusals that a client can read."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from pilothouse.model import event as e
from tests.web.clients import Job, Stream, a_job, an_item, frames_of, until, websocket
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


@pytest.mark.rows("S2.93", "S3.6")
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


@pytest.mark.rows("S3.64", "S4.2")
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


@pytest.mark.rows("S4.12", "S4.13")
def test_what_the_job_says_and_what_the_server_does_are_told_alike(
    server: Running, api: httpx2.Client, job: Job
) -> None:
    with websocket(server, f"{job.path}/ws?after=12") as connection:
        frames = frames_of(connection)
        next(frames)
        api.post(f"{job.path}/events", json=job.batch(an_item("a"))).raise_for_status()
        by_job = next(frames)
        api.post(f"{job.path}/pause").raise_for_status()
        by_server = next(frames)

    assert (by_job.type, by_job.seq) == ("item.finished", 13)
    assert (by_server.type, by_server.seq) == ("control.requested", 14)


def test_a_place_of_another_log_is_reset(server: Running, job: Job) -> None:
    with websocket(server, f"{job.path}/ws?after=00000000-5") as connection:
        frames = frames_of(connection)
        opening = [next(frames) for _ in range(3)]

    assert [frame.type for frame in opening] == ["hello", "reset", "run.queued"]


@pytest.mark.rows("S4.42")
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


@pytest.mark.rows("S4.11", "S5.6", "S5.13", "S5.62")
def test_who_leaves_is_forgotten(server: Running, job: Job) -> None:
    tails = server.server.context.tails

    for _ in range(50):
        with websocket(server, f"{job.path}/ws") as connection:
            next(frames_of(connection))

    until(server, lambda: tails.all == [])


def test_a_websocket_to_nowhere_does_not_open(server: Running) -> None:
    with pytest.raises(InvalidStatus) as refusal, websocket(server, "/api/x"):
        pass

    assert refusal.value.response.status_code == 403


@pytest.mark.parametrize(
    ("path", "code"),
    [("/api/runs/nobody/ws", 4404), ("/api/runs/@last/ws?after=x", 4422), ("/api/ws?watch=a:b", 4422)],
)
def test_a_client_reads_why_it_is_refused(server: Running, job: Job, path: str, code: int) -> None:
    with websocket(server, path) as connection, pytest.raises(ConnectionClosed) as closed:
        connection.recv()

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == code
    assert closed.value.rcvd.reason


def test_a_heartbeat_is_a_message(server: Running, job: Job) -> None:
    with websocket(server, f"{job.path}/ws?after=12") as connection:
        frames = frames_of(connection)
        next(frames)
        tail = server.server.context.tails.all[0]
        until(server, lambda: bool(tail.sleeping))
        server.loop.call_soon_threadsafe(tail.beat)
        beat = json.loads(connection.recv())

    assert beat == {"type": "heartbeat", "data": {}}
