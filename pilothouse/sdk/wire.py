"""HTTP to one server, with the standard library's client.

A `Wire` belongs to one thread. It keeps its connection open; one that the
server has closed meanwhile is opened again once before that counts as a failure,
so every request must be safe to send twice, and all of the link's are.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import IO, Any
from urllib.parse import urlsplit

from pilothouse.errors import (
    Conflict,
    Forbidden,
    Invalid,
    LeaseLost,
    NotFound,
    PilothouseError,
    TooLarge,
    Unauthorised,
    Unavailable,
)

NO_CONTENT = 204
UNREACHABLE = (OSError, HTTPException)
FIRST_WAIT_SECONDS = 0.1
PATIENCE_SECONDS = 600.0
LONGEST_WAIT_SECONDS = 2.0
ERRORS: dict[int, type[PilothouseError]] = {
    401: Unauthorised,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    422: Invalid,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A response that has been read to its end."""

    status: int
    body: bytes

    @property
    def is_ok(self) -> bool:
        """True for 2xx."""
        return 200 <= self.status < 300

    def json(self) -> dict[str, Any]:
        """The body as an object; empty when it is none."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    def error(self) -> PilothouseError:
        """The refusal as an error; `Unavailable` for everything that may pass by itself."""
        error = self.json().get("error")
        said = error if isinstance(error, dict) else {}  # a proxy on the way may say it in other words
        kind = ERRORS.get(self.status, Unavailable if self.status not in (400, 405) else Invalid)
        if self.status == 409 and said.get("code") == LeaseLost.code:
            kind = LeaseLost
        if "code" not in said and issubclass(kind, NotFound | Conflict | Invalid):
            kind = Unavailable  # what a proxy says of the run or of its events does not count
        message = said.get("message") or f"The server answered {self.status}."
        return kind(message, hint=said.get("hint"))


class Waits:
    """How long to wait before each further try: up to twice as long each time, and at random.

    A server that comes back is not met by all jobs at the same instant. There is no last try.
    """

    def __init__(self) -> None:
        self._up_to = FIRST_WAIT_SECONDS

    def next(self) -> float:
        """Seconds until the next try."""
        up_to, self._up_to = self._up_to, min(self._up_to * 2, LONGEST_WAIT_SECONDS)
        return random.uniform(0.0, up_to)  # noqa: S311 - jitter, no secret


class Wire:
    """Requests to one server over one kept connection.

    Args:
        server: Base URL.
        token: Sent as a bearer token.
        timeout: Seconds without a byte after which the server counts as away.
    """

    def __init__(self, server: str, token: str, timeout: float = 10.0) -> None:
        self._url = urlsplit(server)
        self._headers = {"Authorization": f"Bearer {token}"}
        self._timeout = timeout
        self._connection: HTTPConnection | None = None

    def request(
        self,
        method: str,
        path: str,
        body: bytes | IO[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request and read the whole answer.

        Raises:
            OSError, HTTPException: The server cannot be reached (`UNREACHABLE`).
        """
        if body is not None and headers is None:
            headers = {"Content-Type": "application/json"}
        if self._connection is not None and not hasattr(body, "read"):
            try:
                return self._exchange(method, path, body, headers)
            except TimeoutError:
                raise
            except UNREACHABLE:
                self.close()
        return self._exchange(method, path, body, headers)

    def lines(self, path: str) -> Iterator[bytes]:
        """Open an event stream and yield its lines.

        Raises:
            PilothouseError: The server refuses it.
            OSError, HTTPException: The server cannot be reached or has gone.
        """
        connection = self._connect()
        try:
            connection.request(
                "GET",
                self._url.path.rstrip("/") + path,
                headers=self._headers | {"Accept": "text/event-stream"},
            )
            response = connection.getresponse()
            if response.status != 200:
                raise Answer(response.status, response.read()).error()
            while line := response.readline():
                yield line.rstrip(b"\r\n")
        finally:
            self.close()

    def pieces(self, path: str, start: int, size: int) -> Iterator[bytes]:
        """Read a file from a place on, in pieces of at most `size` bytes; nothing when it ends there.

        Raises:
            PilothouseError: The server refuses it.
            OSError, HTTPException: The server cannot be reached, or the connection broke off.
        """
        connection = self._connect()
        try:
            headers = self._headers | ({"Range": f"bytes={start}-"} if start else {})
            connection.request("GET", self._url.path.rstrip("/") + path, headers=headers)
            response = connection.getresponse()
            if response.status == 416:
                return
            if response.status != (206 if start else 200):
                raise Answer(response.status, response.read()).error()
            left = int(response.headers.get("content-length") or 0)
            while left and (some := response.read(min(size, left))):
                left -= len(some)
                yield some
            if left:
                raise HTTPException("the file was cut on its way")
        finally:
            self.close()

    def close(self) -> None:
        """Close the connection; the next request opens a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> HTTPConnection:
        if self._connection is None:
            kind = HTTPSConnection if self._url.scheme == "https" else HTTPConnection
            self._connection = kind(self._url.hostname or "127.0.0.1", self._url.port, timeout=self._timeout)
        return self._connection

    def _exchange(
        self, method: str, path: str, body: bytes | IO[bytes] | None, headers: Mapping[str, str] | None
    ) -> Answer:
        try:
            connection = self._connect()
            connection.request(
                method, self._url.path.rstrip("/") + path, body, {**self._headers, **(headers or {})}
            )
            response = connection.getresponse()
            body_read = response.read()
            length = (response.headers.get("content-length") or "").strip()
            if not (body_read or response.status == NO_CONTENT or length.isdigit()):
                raise HTTPException("the answer was cut in its head")  # the library takes that for its end
            return Answer(response.status, body_read)
        except BaseException:
            self.close()
            raise


def call(
    wire: Wire,
    method: str,
    path: str,
    body: Callable[[], Any] | None = None,
    headers: Mapping[str, str] | None = None,
    patience_seconds: float = PATIENCE_SECONDS,
) -> Answer:
    """One request, repeated while the server is away.

    Raises:
        PilothouseError: The server refuses, or was away for too long (`Unavailable`).
    """
    deadline = time.monotonic() + patience_seconds
    waits = Waits()
    try:
        while True:
            try:
                answer = wire.request(method, path, body() if body else None, headers)
                if answer.is_ok:
                    return answer
                error: PilothouseError = answer.error()
            except UNREACHABLE as unreachable:
                error = Unavailable(f"The server does not answer: {unreachable}")
            delay = waits.next()
            if not isinstance(error, Unavailable) or time.monotonic() + delay > deadline:
                raise error
            time.sleep(delay)
    finally:
        wire.close()
