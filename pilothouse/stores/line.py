"""The line before the writer: who waits together is served together.

While one group commits, the next gathers. So one fsync serves whoever came
meanwhile, and nobody waits for a timer.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any, TypeVar

from pilothouse.errors import Unavailable
from pilothouse.stores.failure import unavailable
from pilothouse.stores.request import Request

MAX_REQUESTS = 256
MAX_WEIGHT = 4000

T = TypeVar("T")
Group = Sequence[Request[Any]]


class Line:
    """Takes requests in the event loop and gives them to the writer's thread in groups.

    Args:
        writer: The writer's only thread.
        serve: Does a group there, and settles nothing. What it raises fails the group.
    """

    def __init__(self, writer: Executor, serve: Callable[[Group], None]) -> None:
        self._writer = writer
        self._serve = serve
        self._waiting: deque[Request[Any]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False

    async def put(self, request: Request[T]) -> T:
        """Wait until the request is done.

        Raises:
            Unavailable: The store is closed, or the database fails.
        """
        if self._is_closed:
            raise closed()
        self._waiting.append(request)
        if self._task is None:
            self._task = asyncio.create_task(self._work(), name="store-writer")
        return await request.future

    async def close(self) -> None:
        """Take no more, and finish what was taken."""
        self._is_closed = True
        if self._task is not None:
            await self._task

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            group = self._take()
            try:
                await loop.run_in_executor(self._writer, self._serve, group)
            except Exception as error:  # else nobody behind it would ever be served
                for request in group:
                    request.fail(unavailable(error))
            for request in group:
                request.settle()
        self._task = None

    def _take(self) -> Group:
        group = [self._waiting.popleft()]
        weight = group[0].weight
        while self._waiting and len(group) < MAX_REQUESTS:
            weight += self._waiting[0].weight
            if weight > MAX_WEIGHT:
                break
            group.append(self._waiting.popleft())
        return group


def closed() -> Unavailable:
    """The error for whoever comes after the close."""
    return Unavailable("the store is closed", hint="The server is stopping; try again.")
