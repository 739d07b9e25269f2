"""Small clients for tests: an event stream, a WebSocket, a job, a raw connection."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from websockets.sync.client import ClientConnection, connect

from pilothouse.model import event as e
from pilothouse.model.run import Run
from tests.web.serving import Running

Json = dict[str, Any]
T = TypeVar("T")


def call(server: Running, work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in the server's loop."""
    return asyncio.run_coroutine_threadsafe(work, server.loop).result(20)


def until(server: Running, is_true: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait in the server's loop until something holds."""

    async def wait() -> None:
        async with asyncio.timeout(seconds):
            while not is_true():  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    call(server, wait())


class Address(Protocol):
    """Where a server answers, and to whom."""

    @property
    def url(self) -> str:
        """Its base."""

    @property
    def token(self) -> str:
        """A bearer token."""


@dataclass(frozen=True)
class Frame:
    """A frame of a stream; `id` is None for service frames, `type` is `comment` for a heartbeat."""

    type: str
    data: Json
    id: str | None = None
    run_id: str | None = None
    seq: int | None = None

    @classmethod
    def parse(cls, text: str, id_: str | None = None) -> Frame:
        """A frame from its JSON."""
        wire = json.loads(text)
        return cls(wire["type"], wire.get("data", wire), id_, wire.get("run_id"), wire.get("seq"))


class Stream:
    """One event stream; iterate to read it, `close` cuts it."""

    def __init__(
        self, server: Address, path: str, headers: dict[str, str] | None = None, timeout: float = 10.0
    ) -> None:
        url = urlsplit(server.url)
        self._connection = HTTPConnection(url.hostname or "", url.port, timeout=timeout)
        sent = {"Accept": "text/event-stream", "Authorization": f"Bearer {server.token}"} | (headers or {})
        try:
            self._connection.request("GET", path, headers=sent)
            self.response: HTTPResponse = self._connection.getresponse()
        except BaseException:
            self._connection.close()
            raise
        self.status = self.response.status

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Cut the connection."""
        sock = self._connection.sock
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self.response.close()
        self._connection.close()

    def events(self) -> Iterator[tuple[str | None, str | None]]:
        """(id, data) of each event until the stream ends; data is None for a comment."""
        id_: str | None = None
        data: list[str] = []
        while line := self.response.readline():
            text = line.decode().rstrip("\n")
            if text.startswith(":"):
                yield None, None
            elif text.startswith("id: "):
                id_ = text[4:]
            elif text.startswith("data: "):
                data.append(text[6:])
            elif not text and data:
                yield id_, "\n".join(data)
                id_, data = None, []

    def __iter__(self) -> Iterator[Frame]:
        for id_, data in self.events():
            yield Frame("comment", {}) if data is None else Frame.parse(data, id_)

    def messages(self) -> Iterator[Json]:
        """The data of each event as JSON, for streams that do not speak in frames."""
        for _, data in self.events():
            if data is not None:
                yield json.loads(data)

    def until(self, type_: str) -> list[Frame]:
        """The frames up to and with the first of a type."""
        frames = []
        for frame in self:
            frames.append(frame)
            if frame.type == type_:
                return frames
        raise AssertionError(f"the stream ended before {type_}: {frames}")


def websocket(server: Address, path: str, **headers: str) -> AbstractContextManager[ClientConnection]:
    """A WebSocket with the token."""
    return websocket_within(10.0, server, path, headers)


@contextmanager
def websocket_within(
    seconds: float, server: Address, path: str, headers: Mapping[str, str] | None = None
) -> Iterator[ClientConnection]:
    """The same, opened and closed in so many seconds."""
    url = server.url.replace("http", "ws", 1) + path
    sent = {"Authorization": f"Bearer {server.token}"} | dict(headers or {})
    with connect(
        url,
        additional_headers=sent,
        compression=None,
        max_queue=None,
        open_timeout=seconds,
        close_timeout=min(seconds, 2),
        proxy=None,
    ) as connection:
        yield connection


def frames_of(connection: ClientConnection) -> Iterator[Frame]:
    """The frames of a WebSocket until it closes."""
    for message in connection:
        yield Frame.parse(str(message))


@dataclass
class Job:
    """A run with an attempt that a test plays."""

    server: Running
    id: str
    attempt: int = 1
    client_seq: int = 1
    path: str = field(init=False)

    def __post_init__(self) -> None:
        self.path = f"/api/runs/{self.id}"

    def say(self, *bodies: e.Body) -> Run:
        """Append events in the server itself."""
        return call(self.server, self.server.server.context.engine.append(self.id, *bodies)).run

    def notes(self, count: int) -> Run:
        """Append so many notes."""
        run = self.run
        for start in range(0, count, 500):
            numbers = range(start, min(start + 500, count))
            run = self.say(*(e.Note(feed="metrics", text=str(number)) for number in numbers))
        return run

    @property
    def run(self) -> Run:
        """The run now."""
        return call(self.server, self.server.server.context.store.get(self.id))

    def batch(self, *events: Json) -> Json:
        """The body of the next batch."""
        body = {"attempt": self.attempt, "client_seq": self.client_seq, "events": list(events)}
        self.client_seq += len(events)
        return body


def a_run(server: Running, **changes: Any) -> Job:
    """A queued run."""
    body = {"kind": "counting"} | changes
    with server.client() as client:
        answer = client.post("/api/runs", json=body)
    assert answer.status_code == 201, answer.text
    return Job(server, answer.json()["id"])


def a_job(server: Running, **changes: Any) -> Job:
    """A run whose first attempt has begun: two events."""
    job = a_run(server, **changes)
    job.say(e.RunStarted(attempt=1, host="nowhere"))
    return job


def an_item(key: str, **changes: Any) -> Json:
    """A finished item as a job sends it."""
    return {"type": "item.finished", "data": {"key": key, "seconds": 0.1} | changes}


def raw(server: Running, request: bytes, timeout: float = 5.0) -> bytes:
    """Send bytes, read what comes until the server closes or says no more."""
    url = urlsplit(server.url)
    with socket.create_connection((url.hostname or "", url.port or 0), timeout) as sock:
        received = b""
        with suppress(ConnectionError, TimeoutError):
            sock.sendall(request)
            while chunk := sock.recv(65536):
                received += chunk
        return received
