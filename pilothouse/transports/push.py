"""Writing within the wake: a watcher of one run that needs no task of its own to sleep.

The task that serves the client waits for the client to leave. When the tail
wakes the watcher, what it owes is written there and then, inside the tail's
pass; a client that reads takes a write without anybody waiting. Only where
something has to wait, a full connection or a segment that must be read from
the store, does the rest of the work become a task.
"""

from __future__ import annotations

import asyncio
import types
from collections.abc import Coroutine, Generator
from typing import Any

from pilothouse.engine.segment import Gap, Segment
from pilothouse.engine.tail import Tail
from pilothouse.engine.watcher import Watcher
from pilothouse.errors import NotFound, Unavailable

TURN = 4


class Pusher(Watcher):
    """A watcher that writes as soon as it is woken. Subclasses say how.

    Args:
        tail: What it follows.
        after: Its place.
    """

    __slots__ = ("_after", "_failure", "_is_awake", "_server", "_tail", "_task")

    def __init__(self, tail: Tail, after: int) -> None:
        super().__init__()
        self._tail = tail
        self._after = after
        self._is_awake = False
        self._task: asyncio.Task[None] | None = None
        self._server = asyncio.current_task()
        self._failure: Exception | None = None

    async def put(self, segment: Segment, after: int) -> int:
        """Write the segment's events after a place, or the first of them; returns the last one's `seq`.

        Waits until the connection takes more.
        """
        raise NotImplementedError

    async def skip(self, lost: Gap) -> None:
        """Write that events are gone."""
        raise NotImplementedError

    async def keep_alive(self) -> None:
        """Write a heartbeat."""
        raise NotImplementedError

    async def end(self, *, over: bool) -> None:
        """Write the last words: the log is over, or else the server stops. The connection then ends."""
        raise NotImplementedError

    def wake(self) -> None:
        """Write what there is, up to the first wait; the rest goes on in a task."""
        if not self._is_awake:
            self._is_awake = True
            self._task = begin(self._push())

    def close(self) -> None:
        """The client has left.

        Raises:
            Exception: Whatever a write raised.
        """
        self.gone = True
        self._tail.forget(self)
        if self._task is not None:
            self._task.cancel()
        if self._failure is not None:
            raise self._failure

    async def _push(self) -> None:
        try:
            await self._tell()
        except OSError:
            self.gone = True  # the client left first
        except Exception as error:  # told to whoever serves the client, not to the tail that woke us
            self._failure = error
            if self._server is not None:
                self._server.cancel()

    async def _tell(self) -> None:
        """Write what there is; without a store to read it from, whoever wants the rest comes back."""
        try:
            if not await self._catch_up():
                return
            over = self._tail.over
        except Unavailable:
            over = False
        await self.end(over=over)

    async def _catch_up(self) -> bool:
        """Write until there is nothing left, then sleep; True when nothing will come."""
        tail, turn = self._tail, 0
        while not (self.gone or tail.closed):
            after = self._after
            if after < tail.head:
                segment = tail.ready(after) or await self._read(after)
                if segment is None:
                    return True
                if isinstance(segment, Gap):
                    self._after = segment.last
                    await self.skip(segment)
                else:
                    self._after = await self.put(segment, after)
                self.beat = False
                turn += 1
                if turn % TURN == 0:
                    await asyncio.sleep(0)  # everybody else's turn
            elif tail.over:
                return True
            elif self.beat:
                self.beat = False
                await self.keep_alive()
            else:
                self._is_awake = False
                self._task = None
                tail.sleeping[self] = None
                return False
        return True

    async def _read(self, after: int) -> Segment | Gap | None:
        """What the store has after a place; None when the run was deleted before this watcher had it all."""
        try:
            return await self._tail.segment(after)
        except NotFound:
            return None


def begin(work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
    """Run a coroutine here and now up to its first wait; a task for the rest, None when there is none."""
    try:
        waits_for = work.send(None)
    except StopIteration:
        return None
    return asyncio.create_task(_go_on(work, waits_for))


async def _go_on(work: Coroutine[Any, Any, None], waits_for: Any) -> None:
    await _resumed(work, waits_for)


@types.coroutine
def _resumed(work: Coroutine[Any, Any, None], waits_for: Any) -> Generator[Any, Any, None]:
    """Wait for what the work waits for, and hand it the outcome: an error belongs to it and not to this task."""
    try:
        yield waits_for
    except BaseException as error:
        try:
            waits_for = work.throw(error)
        except StopIteration:
            return
        yield from _resumed(work, waits_for)
    else:
        yield from work
