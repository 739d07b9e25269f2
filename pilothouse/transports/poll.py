"""Polling, long when asked: the same frames, as one JSON answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from pilothouse.contracts import Frame, Store
from pilothouse.engine.doorbell import Doorbell


async def poll(
    store: Store,
    doorbell: Doorbell,
    run_id: str,
    *,
    after: int,
    limit: int,
    types: Sequence[str] = (),
    newest: bool = False,
    wait: float = 0.0,
) -> bytes:
    """The events after a place, as `{"events", "head", "epoch"}`.

    Args:
        store: Where the log is.
        doorbell: Tells of news while waiting.
        run_id: The run.
        after: The place.
        limit: At most so many events.
        types: Only these types; empty: all.
        newest: The last ones instead of the first.
        wait: Seconds to wait while there is nothing; 0 answers at once.

    Raises:
        NotFound: No such run.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait
    with doorbell.listen(run_id) as ear:
        while True:
            ear.clear()
            run = await store.get(run_id)
            frames = await store.read(run_id, after, limit, types, newest)
            left = deadline - loop.time()
            if frames or left <= 0 or run.status.is_terminal or doorbell.closed:
                return answer(frames, run.head, run.epoch)
            try:
                await asyncio.wait_for(ear.wait(), left)
            except TimeoutError:
                continue


def answer(frames: Sequence[Frame], head: int, epoch: str) -> bytes:
    """The answer's JSON, made of the frames as they are stored."""
    events = b",".join(frame.data for frame in frames)
    return b'{"events":[%b],"head":%d,"epoch":"%b"}' % (events, head, epoch.encode())
