"""What a server does by itself goes on, whatever one look meets."""

from __future__ import annotations

import asyncio

import pytest

from pilothouse.errors import Unavailable
from pilothouse.web.server import look_always


@pytest.mark.anyio
async def test_a_look_that_fails_is_not_the_last_one() -> None:
    failures: list[Exception] = [ValueError("a bug"), Unavailable("the store is away")]
    looked = asyncio.Event()

    async def look() -> None:
        if failures:
            raise failures.pop()
        looked.set()

    looking = asyncio.create_task(look_always(look, 0.0))
    async with asyncio.timeout(5):
        await looked.wait()

    assert not looking.done()
    looking.cancel()
