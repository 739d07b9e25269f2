"""The Redis bus keeps the bus contract, and tells of outages.

Set `PILOTHOUSE_TEST_REDIS` to a server's URL; every test uses a channel of its own.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from typing import NoReturn
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis

from pilothouse.buses.redis import RedisBus
from pilothouse.contracts import Bus
from pilothouse.errors import Unavailable
from pilothouse.testing.bus_contract import BusContract, Heard

pytestmark = pytest.mark.anyio

SERVER = os.environ.get("PILOTHOUSE_TEST_REDIS", "redis://127.0.0.1:6379/0")


def missing(error: Exception) -> NoReturn:
    """Skip, or fail where the server must be there."""
    reason = f"Redis cannot be reached, so its contract is NOT tested: {error}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def channel() -> str:
    return f"pilothouse:test:{secrets.token_hex(6)}"


async def opened(channel: str) -> RedisBus:
    """A bus on this channel."""
    bus = RedisBus(SERVER, channel=channel)
    try:
        await bus.open()
    except Unavailable as error:
        missing(error)
    return bus


class TestRedisBus(BusContract):
    @pytest.fixture
    async def bus(self, channel: str) -> AsyncIterator[Bus]:
        bus = await opened(channel)
        yield bus
        await bus.close()


@pytest.mark.rows("S4.91")
async def test_another_server_hears_a_ring(channel: str) -> None:
    here, there = await opened(channel), await opened(channel)
    heard = Heard()
    there.subscribe(heard)

    await here.ring("r1")

    await heard.until(lambda rings: rings == ["r1"])
    await here.close()
    await there.close()


async def test_after_an_outage_everything_is_looked_at_once(channel: str) -> None:
    bus = await opened(channel)
    heard = Heard()
    bus.subscribe(heard)
    killer = Redis.from_url(SERVER)
    clients = await killer.client_list(_type="pubsub")
    mine = [client for client in clients if client["name"] == channel]

    await killer.client_kill_filter(_id=mine[0]["id"])

    await heard.until(lambda rings: rings == ["*"])
    await bus.ring("r1")
    await heard.until(lambda rings: rings == ["*", "r1"])
    await killer.aclose()
    await bus.close()


async def test_a_bus_that_is_not_there_is_unavailable() -> None:
    bus = RedisBus("redis://127.0.0.1:1/0")

    with pytest.raises(Unavailable, match="Redis cannot be reached"):
        await bus.open()


class Way:
    """A way to Redis on which everything gets lost without a word, when a test says so."""

    def __init__(self) -> None:
        self.is_cut = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> str:
        """The URL of its near end."""
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        return SERVER.replace(
            urlsplit(SERVER).netloc, f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        )

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._server.close()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = urlsplit(SERVER)
        far_reader, far_writer = await asyncio.open_connection(there.hostname, there.port or 6379)
        for source, target in ((reader, far_writer), (far_reader, writer)):
            self._tasks.add(asyncio.create_task(self._carry(source, target)))

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        was_cut = self.is_cut
        try:
            while data := await source.read(4096):
                if self.is_cut == was_cut:
                    target.write(data)
        finally:
            target.close()


async def test_a_connection_that_died_without_a_word_is_noticed(channel: str) -> None:
    await (await opened(channel)).close()
    way = Way()
    bus = RedisBus(await way.open(), channel=channel, quiet_seconds=0.2)
    await bus.open()
    heard = Heard()
    bus.subscribe(heard)

    way.is_cut = True  # only a connection that is opened from now on carries anything

    await heard.until(lambda rings: rings[:1] == ["*"])
    other = await opened(channel)
    await other.ring("r1")
    await heard.until(lambda rings: "r1" in rings)
    for each in (bus, other):
        await each.close()
    await way.close()
