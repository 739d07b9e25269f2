"""Watchers and the sources that wake them, at a pace that leaves the loop free.

A watcher is a place in a log and a future to sleep on; it owns no queue. A
source (the tail of one run, or the fleet) keeps the set of watchers that
sleep, and wakes them in slices of 4 ms, then rests three times the CPU time
that the pass took, at most 0.1 s: fan-out stays under a quarter of the loop
until thousands watch a fast run, and then it is the slices that leave others
their turn. Time spent waiting for a busy machine is no reason to rest.
"""

from __future__ import annotations

import asyncio
from time import perf_counter, thread_time

SLICE_SECONDS = 0.004
SLICE_CHECK = 32
REST_RATIO = 3.0
REST_MOST = 0.1


class Watcher:
    """One client that follows one or several sources.

    Attributes:
        gone: The client has left, or the server ends its streams.
        beat: A heartbeat is due.
    """

    __slots__ = ("_future", "beat", "gone")

    def __init__(self) -> None:
        self._future: asyncio.Future[None] | None = None
        self.gone = False
        self.beat = False

    async def wait(self, *sources: Source) -> None:
        """Sleep until one of the sources has news, a heartbeat is due, or the client is gone.

        There is no await between a look that found nothing and this call, so no news is missed.
        """
        if self.gone or any(source.closed for source in sources):
            self.gone = True
            return
        self._future = asyncio.get_running_loop().create_future()
        for source in sources:
            source.sleeping[self] = None
        await self._future

    def wake(self) -> None:
        """End the sleep, if there is one."""
        if self._future is not None and not self._future.done():
            self._future.set_result(None)

    def leave(self) -> None:
        """The client is gone: end the sleep for good."""
        self.gone = True
        self.wake()


class Source:
    """Something that has news. Subclasses call `wake_all` from one task of their own."""

    def __init__(self) -> None:
        self.sleeping: dict[Watcher, None] = {}
        self.closed = False

    async def wake_all(self) -> None:
        """Wake every sleeping watcher, slice by slice, and rest in proportion."""
        woken, self.sleeping = self.sleeping, {}
        began, slice_began = thread_time(), perf_counter()
        for count, watcher in enumerate(woken, start=1):
            watcher.wake()
            if count % SLICE_CHECK == 0:
                await asyncio.sleep(0)  # the woken write now
                if perf_counter() - slice_began > SLICE_SECONDS:
                    await asyncio.sleep(0)  # everybody else's turn
                    slice_began = perf_counter()
        await asyncio.sleep(0)
        self.written()
        rest = min((thread_time() - began) * REST_RATIO, REST_MOST)
        await asyncio.sleep(rest if len(woken) > SLICE_CHECK else 0)

    def written(self) -> None:
        """Whoever slept has been written to."""

    def beat(self) -> None:
        """Let every sleeping watcher send a heartbeat."""
        for watcher in list(self.sleeping):
            watcher.beat = True
            watcher.wake()

    def dismiss(self) -> None:
        """Send every watcher home, the sleeping ones now, the others when they would sleep."""
        self.closed = True
        for watcher in list(self.sleeping):
            watcher.leave()

    def forget(self, watcher: Watcher) -> None:
        """A watcher that leaves is not woken again."""
        self.sleeping.pop(watcher, None)
