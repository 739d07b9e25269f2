"""An answer is whole, or there is none."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pilothouse.sdk.wire import UNREACHABLE, Wire

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
