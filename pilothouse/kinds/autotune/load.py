"""The load generator: streamed chat completions, several side by side.

A closed loop: each of `concurrency` threads sends its next request when its last
answer is complete. Each has a connection of its own that stays open, and a request's
time begins when it is sent on one. The stream is read as bytes; each piece gets the
time at which it came, and is parsed after the answer is complete. All this so that
the measurement takes as little processor time as possible from what it measures.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import urlsplit

import httpx2

from pilothouse.kinds.autotune.measurement import Level, Sample
from pilothouse.kinds.autotune.parts import Load

LOOK_SECONDS = 0.2
CONNECT_SECONDS = 10.0
PIECE_BYTES = 65536
LONGEST_ERROR = 200
Look = Callable[[list[Sample]], None]
Piece = tuple[float, bytes]


class Generator:
    """Sends requests to one endpoint.

    Args:
        base_url: Such as `http://127.0.0.1:8000/v1`.
        model: What the endpoint calls the model.
        key: API key, None without one.
        seed: Of the first request; later ones count up.
    """

    def __init__(self, base_url: str, model: str, load: Load, key: str | None = None, seed: int = 7) -> None:
        self._load = load
        self._model = model
        self._seed = seed
        self._numbers = itertools.count(1)
        place = urlsplit(base_url)
        self._path = place.path.rstrip("/") + "/chat/completions"
        self._headers = {
            "Authorization": f"Bearer {key or 'none'}",
            "Accept": "text/event-stream",
            "Content-Type": "application/json",
        }
        connect_seconds = min(CONNECT_SECONDS, load.timeout_seconds)
        host, port = place.hostname or "", place.port
        self._new: Callable[[], HTTPConnection] = lambda: HTTPConnection(host, port, timeout=connect_seconds)
        if place.scheme == "https":
            context = httpx2.create_ssl_context(trust_env=False)
            self._new = lambda: HTTPSConnection(host, port, timeout=connect_seconds, context=context)
        self._lock = threading.Lock()
        self._idle: list[HTTPConnection] = []
        self._sockets: set[socket.socket] = set()
        self._is_closed = False

    def close(self) -> None:
        """Hang up, also on requests that are under way."""
        with self._lock:
            self._is_closed = True
            while self._idle:
                self._forget(self._idle.pop())
            for each in self._sockets:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def level(self, concurrency: int, requests: int, look: Look) -> Level:
        """Send `requests` requests, `concurrency` of them side by side.

        Args:
            look: Called in this thread after each answer, and every 0.2 s, with the samples so
                far; what it raises ends the level at once.
        """
        results: SimpleQueue[Sample] = SimpleQueue()
        left = iter(range(requests))
        lock, stop = threading.Lock(), threading.Event()

        def work() -> None:
            while not stop.is_set():
                with lock:
                    if next(left, None) is None:
                        return
                    number = next(self._numbers)
                results.put(self.ask(number))

        began = time.perf_counter()
        for _ in range(min(concurrency, requests)):
            threading.Thread(target=work, name="pilothouse-load", daemon=True).start()
        samples: list[Sample] = []
        try:
            while len(samples) < requests:
                with contextlib.suppress(Empty):
                    samples.append(results.get(timeout=LOOK_SECONDS))
                look(samples)
        finally:
            stop.set()
        ended = max((sample.began + sample.seconds for sample in samples), default=began)
        first = min((sample.began for sample in samples), default=began)
        return Level(concurrency, tuple(samples), ended - first)

    def ask(self, number: int) -> Sample:
        """One request; an error is a sample too."""
        body = self._body(number)
        pieces: list[Piece] = []
        error: str | None = None
        began = time.perf_counter()
        try:
            with self._connection() as connection:
                began = time.perf_counter()
                connection.request("POST", self._path, body, self._headers)
                with connection.getresponse() as response:
                    if response.status == 200:
                        self._read(response, began, pieces)
                    else:
                        error = _refusal(response)
                        connection.close()
        except _NoConnection:
            error = "the server takes no connection"
        except TimeoutError:
            error = f"no answer within {self._load.timeout_seconds:g} s"
        except (OSError, HTTPException) as failure:
            error = f"the connection broke off ({type(failure).__name__})"
        except Exception as failure:  # such as a key that no header can hold: a level waits for each answer
            error = f"the request cannot be sent: {type(failure).__name__}: {failure}"[:LONGEST_ERROR]
        if self._is_closed:
            error = "the load was stopped"
        ended = pieces[-1][0] if pieces and not error else time.perf_counter()
        return _sample(began, ended, pieces, error)

    @contextlib.contextmanager
    def _connection(self) -> Iterator[HTTPConnection]:
        """A connection that is open; kept for the next request when the answer was read to its end."""
        connection = self._kept() or self._opened()
        sock = connection.sock
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        finally:
            with self._lock:
                if connection.sock and not self._is_closed:
                    self._idle.append(connection)
                else:
                    connection.close()
                    self._sockets.discard(sock)

    def _kept(self) -> HTTPConnection | None:
        """One that is left from an earlier request, and that the server has not closed meanwhile."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection = self._idle.pop()
                if not _is_readable(connection.sock):
                    return connection
                self._forget(connection)

    def _forget(self, connection: HTTPConnection) -> None:
        self._sockets.discard(connection.sock)
        connection.close()

    def _opened(self) -> HTTPConnection:
        connection = self._new()
        try:
            connection.connect()
        except OSError:
            raise _NoConnection from None
        connection.sock.settimeout(self._load.timeout_seconds)
        with self._lock:
            if not self._is_closed:
                self._sockets.add(connection.sock)
                return connection
        connection.close()
        raise _NoConnection

    def _read(self, response: HTTPResponse, began: float, pieces: list[Piece]) -> None:
        """Note when each piece comes. The time-out counts for the whole answer, not for each piece alone."""
        while chunk := response.read1(PIECE_BYTES):
            now = time.perf_counter()
            pieces.append((now, chunk))
            if now - began > self._load.timeout_seconds:
                raise TimeoutError

    def _body(self, number: int) -> bytes:
        load = self._load
        prompt = load.prompts[(number - 1) % len(load.prompts)]
        content = f"[{number}] {prompt}" if load.are_prompts_unique else prompt
        fields: dict[str, Any] = {
            "model": self._model,
            "messages": [{"role": "user", "content": content}],
            "max_tokens": load.max_tokens,
            "temperature": load.temperature,
            "seed": self._seed + number,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        return json.dumps(fields | load.body).encode()


class _NoConnection(Exception):
    """There is nobody at the address."""


def _is_readable(sock: socket.socket) -> bool:
    """Whether something came without having been asked for: the end of the connection."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


def _refusal(response: HTTPResponse) -> str:
    try:
        text = response.read().decode("utf-8", "replace")
    except (OSError, HTTPException):
        text = ""
    words = " ".join(text.split())[:LONGEST_ERROR]
    return f"HTTP {response.status}: {words}" if words else f"HTTP {response.status}"


def _sample(began: float, ended: float, pieces: list[Piece], error: str | None) -> Sample:
    """Read a stream that has ended."""
    first: float | None = None
    chunks, tokens, is_complete = 0, None, False
    for moment, data in _events(pieces):
        if data == b"[DONE]":
            is_complete = True
            continue
        try:
            event = json.loads(data)
        except ValueError:
            continue
        if not isinstance(event, dict):
            continue
        if said := event.get("error"):
            error = error or f"the server broke off: {_in_words(said)}"
        if _has_content(event):
            first = first or moment
            chunks += 1
        is_complete = is_complete or _is_last(event)
        tokens = _counted(event) or tokens
    if error is None and not chunks:
        error = "the answer holds no text" if is_complete else "the answer broke off before its first token"
    if error is None and not is_complete:
        error = "the answer broke off"
    ttft = None if first is None else first - began
    return Sample(began, ended - began, ttft, chunks if tokens is None else tokens, tokens is None, error)


def _events(pieces: list[Piece]) -> Iterator[Piece]:
    """The data lines of an event stream, each with the time at which its end came."""
    rest = b""
    for moment, chunk in pieces:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                yield moment, line[5:].strip()


def _choice(event: dict[str, Any]) -> dict[str, Any]:
    choices = event.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, dict) else {}


def _has_content(event: dict[str, Any]) -> bool:
    delta = _choice(event).get("delta")
    if not isinstance(delta, dict):
        return False
    return any(bool(delta.get(name)) for name in ("content", "reasoning_content", "reasoning"))


def _is_last(event: dict[str, Any]) -> bool:
    return bool(_choice(event).get("finish_reason"))


def _counted(event: dict[str, Any]) -> int | None:
    usage = event.get("usage")
    count = usage.get("completion_tokens") if isinstance(usage, dict) else None
    return count if isinstance(count, int) and not isinstance(count, bool) and count > 0 else None


def _in_words(said: Any) -> str:
    text = said.get("message") if isinstance(said, dict) else said
    return " ".join(str(text).split())[:LONGEST_ERROR]
