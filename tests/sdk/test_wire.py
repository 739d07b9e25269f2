"""An answer is whole, or there is none."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pilothouse.errors import NotFound, Unavailable
from pilothouse.sdk.wire import UNREACHABLE, Answer, Wire

ANSWER = b"HTTP/1.1 200 OK\r\nserver: x\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n" + (
    b'{"acked":9}'
)


@contextmanager
def answering(said: bytes) -> Iterator[str]:
    """A server that says these bytes to everybody, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    connection.sendall(said)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.mark.parametrize("count", range(len(ANSWER)))
def test_an_answer_that_is_cut_anywhere_is_none(count: int) -> None:
    with answering(ANSWER[:count]) as server:
        wire = Wire(server, "token", 5.0)
        with pytest.raises(UNREACHABLE):
            wire.request("GET", "/")
        wire.close()


@pytest.mark.parametrize(
    ("said", "status", "body"),
    [
        (ANSWER, 200, b'{"acked":9}'),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 200, b""),
    ],
)
def test_a_whole_answer_is_read(said: bytes, status: int, body: bytes) -> None:
    with answering(said) as server:
        wire = Wire(server, "token", 5.0)
        answer = wire.request("GET", "/")
        wire.close()

    assert (answer.status, answer.body) == (status, body)


@pytest.mark.parametrize("status", [400, 404, 405, 409, 422])
def test_a_proxy_cannot_end_a_run_or_refuse_an_event(status: int) -> None:
    assert isinstance(Answer(status, b"<html>no such page</html>").error(), Unavailable)


def test_a_run_that_the_server_does_not_know_does_not_exist() -> None:
    assert isinstance(Answer(404, b'{"error": {"code": "not_found"}}').error(), NotFound)


@pytest.mark.parametrize("body", [b'{"error": "bad gateway"}', b'["bad gateway"]', b"<html>", b""])
def test_a_refusal_in_the_words_of_a_proxy_is_a_server_that_is_away(body: bytes) -> None:
    error = Answer(502, body).error()

    assert isinstance(error, Unavailable)
    assert error.message == "The server answered 502."
