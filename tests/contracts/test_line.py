"""The line before the writer, when the writer itself fails."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from pilothouse.errors import Unavailable
from pilothouse.stores.line import Group, Line
from pilothouse.stores.request import Delete

pytestmark = pytest.mark.anyio


async def test_a_writer_that_breaks_fails_who_waits_and_serves_who_comes_after() -> None:
    broken = [ValueError("a bug")]

    def serve(group: Group) -> None:
        if broken:
            raise broken.pop()

    with ThreadPoolExecutor(1) as writer:
        line = Line(writer, serve)
        async with asyncio.timeout(5):
            with pytest.raises(Unavailable, match="a bug"):
                await line.put(Delete("r1"))

            await line.put(Delete("r2"))
            await line.close()
