"""What the network can do to a server: garbage, half requests, endless headers, clients that vanish."""

from __future__ import annotations

import asyncio
import gc
import random
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from urllib.parse import urlsplit

import pytest
from uvicorn.server import ServerState

from pilothouse.web.head import BoundedHttp
from pilothouse.web.serve import uvicorn_config
from tests.web.clients import Stream, a_job, call, raw, until, websocket
from tests.web.serving import Running

MIB = 1024 * 1024


def connect(server: Running) -> socket.socket:
    """A raw connection."""
    url = urlsplit(server.url)
    return socket.create_connection((url.hostname or "", url.port or 0), 5)


@pytest.fixture(autouse=True)
def still_well(server: Running) -> Iterator[None]:
    """After every fault the server answers."""
    yield
    with server.stranger() as stranger:
        assert stranger.get("/api/health").status_code == 200


GARBAGE = [
    b"\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"POST /api/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
    b"POST /api/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    b"POST /api/runs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /api/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
    b"GET /api/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    b"GET http://evil.example/api/runs HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n",
]


@pytest.mark.parametrize("request_", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_refused(server: Running, request_: bytes) -> None:
    answer = raw(server, request_, timeout=0.5)

    assert b" 500 " not in answer.partition(b"\r\n")[0]
    assert b'"runs"' not in answer


def test_random_bytes_are_refused(server: Running) -> None:
    chance = random.Random(7)

    for _ in range(50):
        with connect(server) as sock, suppress(OSError):
            sock.sendall(chance.randbytes(chance.randint(1, 2_000)))


def test_headers_without_end_cost_little_and_are_refused(server: Running) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sent = 0

    with connect(server) as sock, suppress(OSError):
        sock.sendall(b"GET /api/health HTTP/1.1\r\nHost: localhost\r\n")
        while sent < 64 * MIB:
            line = b"X-%d: %b\r\n" % (sent, b"x" * 8_000)
            sock.sendall(line)
            sent += len(line)

    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert sent < 4 * MIB
    assert grown_kib < 20 * 1024


def test_one_header_without_end_is_refused(server: Running) -> None:
    sent = 0

    with connect(server) as sock, suppress(OSError):
        sock.sendall(b"GET /api/health HTTP/1.1\r\nHost: localhost\r\nX: ")
        while sent < 64 * MIB:
            sock.sendall(b"x" * 65_536)
            sent += 65_536

    assert sent < 4 * MIB


def test_an_address_without_end_is_refused(server: Running) -> None:
    sent = 0

    with connect(server) as sock, suppress(OSError):
        sock.sendall(b"GET /")
        while sent < 64 * MIB:
            sock.sendall(b"x" * 65_536)
            sent += 65_536

    assert sent < 4 * MIB


def test_headers_of_a_usual_size_are_taken(server: Running) -> None:
    with server.client(headers={"x-long": "y" * 30_000}) as client:
        assert client.get("/api/runs").status_code == 200


def test_hundreds_of_half_requests_hold_up_nobody(server: Running) -> None:
    with ExitStack() as stack:
        for _ in range(300):
            sock = stack.enter_context(connect(server))
            sock.sendall(b"GET /api/health HTTP/1.1\r\nHost: loc")
        with server.client() as client:
            statuses = [client.get("/api/runs").status_code for _ in range(20)]

    assert statuses == [200] * 20


class Hasty(BoundedHttp):
    """The same with little patience."""

    head_seconds = 0.1


@pytest.fixture
def hasty_port(server: Running) -> Iterator[int]:
    """A port where a request must be said at once."""
    config = uvicorn_config(server.server)
    config.load()

    async def open_() -> asyncio.Server:
        state = ServerState()
        return await asyncio.get_running_loop().create_server(
            lambda: Hasty(config, state, {}), "127.0.0.1", 0
        )

    listening = call(server, open_())
    yield listening.sockets[0].getsockname()[1]
    server.loop.call_soon_threadsafe(listening.close)


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: loc", b"\r\n"])
def test_who_does_not_say_what_it_wants_is_sent_away(hasty_port: int, said: bytes) -> None:
    with socket.create_connection(("127.0.0.1", hasty_port), 5) as sock:
        sock.sendall(said)
        answer = sock.recv(1000)

    assert answer == b""


def test_a_connection_that_was_served_may_rest(hasty_port: int) -> None:
    request = b"GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n"

    with socket.create_connection(("127.0.0.1", hasty_port), 5) as sock:
        sock.sendall(request)
        first = sock.recv(10_000)
        sock.settimeout(0.3)
        with pytest.raises(TimeoutError):
            sock.recv(1)
        sock.settimeout(5)
        sock.sendall(request)
        second = sock.recv(10_000)

    assert first.startswith(b"HTTP/1.1 200")
    assert second.startswith(b"HTTP/1.1 200")


def tasks(server: Running) -> int:
    """How many tasks live in the server's loop."""

    async def count() -> int:
        return len(asyncio.all_tasks())

    return call(server, count())


def test_clients_that_vanish_leave_nothing_behind(server: Running) -> None:
    job = a_job(server)
    job.notes(600)
    context = server.server.context
    with Stream(server, f"{job.path}/events") as stream:
        next(iter(stream))
    until(server, lambda: context.tails.all == [])
    before = tasks(server)
    chance = random.Random(3)

    for _ in range(60):
        job.notes(1)
        with suppress(OSError, EOFError):
            match chance.randrange(5):
                case 0:
                    Stream(server, f"{job.path}/events?after={chance.randrange(600)}").close()
                case 1:
                    Stream(server, f"/api/stream?watch={job.id}:{chance.randrange(600)}").close()
                case 2:
                    with websocket(server, f"{job.path}/ws") as connection:
                        connection.socket.shutdown(socket.SHUT_RDWR)
                case 3:
                    with websocket(server, f"/api/ws?watch={job.id}:0") as connection:
                        connection.socket.shutdown(socket.SHUT_RDWR)
                case _:
                    Stream(server, f"{job.path}/controls?attempt=1").close()

    until(server, lambda: context.tails.all == [] and not context.fleet.sleeping)
    until(server, lambda: job.id not in context.engine.doorbell._ears, 8)
    until(server, lambda: len(asyncio.all_tasks(server.loop)) <= before + 3)
    gc.collect()


def test_a_body_that_never_comes_is_no_run(server: Running) -> None:
    with server.client() as client:
        before = client.get("/api/runs").json()["total"]
        with connect(server) as sock:
            head = f"POST /api/runs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.token}\r\n"
            sock.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{".encode())
        assert client.get("/api/runs").json()["total"] == before
