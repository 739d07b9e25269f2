"""Clients that do not read, or are gone without a word: given up in time, on every transport."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from uvicorn.server import ServerState

from pilothouse.model import event as e
from pilothouse.settings import Settings
from pilothouse.web.head import BoundedHttp
from pilothouse.web.serve import listen, uvicorn_config
from pilothouse.web.sockets import BoundedSocket
from pilothouse.web.stall import StreamConfig
from tests.chaos.readers import STREAMS, TRANSPORTS, Reader
from tests.web.clients import Job, a_job, call, until
from tests.web.serving import Running

STALL_SECONDS = 0.4
IN_TIME = 5.0


@pytest.fixture(scope="module")
def job(server: Running) -> Job:
    """A run whose log is far larger than what the kernel keeps for a client."""
    job = a_job(server)
    for _ in range(60):
        job.say(*(e.Log(text="x" * 2_000) for _ in range(50)))
    return job


@dataclass(frozen=True)
class Port:
    """Another port of the server, with its connections."""

    number: int
    connections: set[Any]
    config: StreamConfig


@pytest.fixture
def port(server: Running) -> Iterator[Port]:
    """A port with little patience of its own and none of the kernel's."""
    config = uvicorn_config(server.server)
    config.stall_seconds = STALL_SECONDS
    config.load()
    sock, state = listen("127.0.0.1", 0), ServerState()
    if sys.platform == "linux":
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 0)

    async def open_() -> asyncio.Server:
        return await asyncio.get_running_loop().create_server(
            lambda: BoundedHttp(config, state, {}), sock=sock
        )

    listening = call(server, open_())
    yield Port(sock.getsockname()[1], state.connections, config)
    server.loop.call_soon_threadsafe(listening.close)


def tasks(server: Running) -> int:
    """How many tasks live in the server's loop."""
    return len(asyncio.all_tasks(server.loop))


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_who_reads_nothing_is_cut_off_and_forgotten(
    server: Running, job: Job, port: Port, transport: str
) -> None:
    tails, before = server.server.context.tails, tasks(server)
    with ExitStack() as stack:
        stalled = [
            stack.enter_context(Reader(port.number, server.token, transport, job.id)) for _ in range(5)
        ]
        until(server, lambda: len(port.connections) == 5)
        if transport in STREAMS:
            until(server, lambda: tails.watchers(job.id) == 5)

        until(server, lambda: not port.connections and tails.watchers(job.id) == 0, IN_TIME)
        until(server, lambda: tasks(server) <= before + 1, IN_TIME)  # one asks

        assert all(reader.is_cut_off(IN_TIME) for reader in stalled)
    assert not server.server.context.fleet.sleeping


@pytest.mark.parametrize("transport", ["sse", "websocket"])
def test_who_reads_slowly_is_waited_for(server: Running, job: Job, port: Port, transport: str) -> None:
    tails = server.server.context.tails
    with Reader(port.number, server.token, transport, job.id) as slow:
        until(server, lambda: tails.watchers(job.id) == 1)
        end, read = server.loop.time() + 4 * STALL_SECONDS, 0

        while server.loop.time() < end:
            read += len(slow.sock.recv(2_048))
            call(server, asyncio.sleep(0.002))

        assert tails.watchers(job.id) == 1
        assert read < 3_000_000, "it was not slow"
    until(server, lambda: tails.watchers(job.id) == 0)


def test_pings_into_a_full_connection_are_not_answered(server: Running, job: Job, port: Port) -> None:
    port.config.stall_seconds = 30
    pings, ask = b"\x89\x80\0\0\0\0" * 5_000, b"\x81\x82\0\0\0\0{}"

    with Reader(port.number, server.token, "websocket", job.id) as reader:
        until(server, lambda: any(isinstance(c, BoundedSocket) and c.is_full for c in port.connections))
        (connection,) = port.connections
        reader.sock.sendall(pings + ask)
        until(server, lambda: len(connection.writable._waiters) == 2)  # the events, and the answer
        told = opcodes(reader, b'"type":"answer"')

    assert told == {TEXT}


TEXT = 1


def opcodes(reader: Reader, last: bytes) -> set[int]:
    """The kinds of all messages up to one that holds these bytes."""
    file = reader.sock.makefile("rb")
    while file.readline().strip():
        pass
    seen = set()
    while True:
        opcode, size = file.read(2)
        if size == 126:
            size = int.from_bytes(file.read(2))
        seen.add(opcode & 15)
        if last in file.read(size):
            file.close()
            return seen


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such option")
def test_the_kernel_gives_up_a_client_that_confirms_nothing() -> None:
    with listen("127.0.0.1", 0, 7.5) as listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            told = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
            asks = accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)

    assert (told, asks) == (7500, 1)


def has_network_of_its_own() -> bool:
    """Whether a process can be given a network whose cable can be pulled."""
    tried = subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False)
    return tried.returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="needs network namespaces")
def test_clients_whose_cable_is_pulled_are_forgotten(tmp_path: Path) -> None:
    if not has_network_of_its_own():
        pytest.skip("this system lets nobody have a network of its own")
    root = str(Path(__file__).parents[2])

    pulled = subprocess.run(
        ["unshare", "-rn", sys.executable, "-m", "tests.web.cable", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"PYTHONPATH": root},
    )

    assert pulled.returncode == 0, pulled.stderr
    assert pulled.stdout.split() == ["4", "0", "0"]


@pytest.mark.parametrize("seconds", [0.5, 40_000, float("inf"), float("nan")])
def test_a_wait_that_no_socket_knows_is_refused_by_its_name(tmp_path: Path, seconds: float) -> None:
    with pytest.raises(ValidationError, match="stall_seconds"):
        Settings(data=tmp_path, stall_seconds=seconds)
