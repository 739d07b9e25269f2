"""A store that goes away under a server: every answer and every stream says to come back, and nothing is a bug."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from pilothouse.model import event as e
from tests.web.clients import Job, Stream, a_job, frames_of, websocket
from tests.web.serving import Running, running


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    """A server on a database file of its own."""
    with running(tmp_path, database=f"sqlite:///{tmp_path}/p.db", lease_seconds=600) as server:
        yield server


@pytest.fixture
def job(server: Running) -> Job:
    """A run with a log that no connection takes at once, and that no tail holds."""
    job = a_job(server)
    for _ in range(16):
        job.say(*(e.Note(feed="metrics", text="x" * 20_000) for _ in range(100)))
    return job


def lose(server: Running) -> None:
    """Take the database away."""
    (server.data / "p.db").rename(server.data / "elsewhere.db")


@pytest.fixture(autouse=True)
def no_bugs(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """The server logs no error of its own."""
    yield
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
def test_who_asks_for_events_is_told_when_to_come_back(server: Running, job: Job, accept: str) -> None:
    lose(server)

    with server.client() as client:
        answer = client.get(f"{job.path}/events", headers={"accept": accept})

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["error"]["code"] == "unavailable"
    assert len(answer.headers.get_list("x-request-id")) == 1
    assert len(answer.headers.get_list("x-frame-options")) == 1


@pytest.mark.parametrize("path", ["{run}/events", "/api/stream?watch={id}"])
def test_a_stream_that_cannot_read_on_says_goodbye(server: Running, job: Job, path: str) -> None:
    with Stream(server, path.format(run=job.path, id=job.id)) as stream:
        frames = iter(stream)
        first = next(frames)
        lose(server)
        rest = list(frames)

    assert (first.type, rest[-1].type) == ("hello", "bye")
    assert len(rest) < 1_600


@pytest.mark.parametrize("path", ["{run}/ws", "/api/ws?watch={id}"])
def test_a_socket_that_cannot_read_on_says_goodbye(server: Running, job: Job, path: str) -> None:
    with websocket(server, path.format(run=job.path, id=job.id)) as connection:
        frames = frames_of(connection)
        first = next(frames)
        lose(server)
        rest = list(frames)

    assert (first.type, rest[-1].type, connection.close_code) == ("hello", "bye", 1001)


def test_a_socket_that_cannot_begin_says_to_come_back(server: Running, job: Job) -> None:
    lose(server)

    with websocket(server, f"{job.path}/ws") as connection, pytest.raises(ConnectionClosed) as closed:
        connection.recv()

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4503


def test_a_job_s_control_wire_ends_and_may_be_asked_for_again(server: Running, job: Job) -> None:
    with Stream(server, f"{job.path}/controls?attempt=1") as stream:
        messages = stream.messages()
        next(messages)
        lose(server)
        server.loop.call_soon_threadsafe(server.server.context.engine.doorbell._rung, job.id)
        rest = list(messages)

    assert rest == []
