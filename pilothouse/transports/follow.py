"""The loop of a stream with a task of its own: what comes after a place, then what comes next, to the end."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from pilothouse.engine.segment import Gap, Segment
from pilothouse.engine.tail import Tail
from pilothouse.engine.watcher import Watcher
from pilothouse.errors import NotFound, Unavailable


@dataclass(frozen=True, slots=True)
class Batch:
    """Events after a place, up to the end of what one segment holds."""

    segment: Segment
    after: int

    def frames(self) -> list[bytes]:
        """As they are stored."""
        return self.segment.after(self.after)


async def follow(tail: Tail, watcher: Watcher, after: int) -> AsyncGenerator[Batch | Gap | None]:
    """Yield batches until the run is over or the watcher is gone; None when a heartbeat is due.

    While the caller writes one batch, later events gather and come out together.
    """
    try:
        while not (watcher.gone or tail.closed):
            if after < tail.head:
                try:
                    segment = tail.ready(after) or await tail.segment(after)
                except (NotFound, Unavailable):
                    return  # deleted before this watcher had it all, or it comes back for the rest
                batch = segment if isinstance(segment, Gap) else Batch(segment, after)
                after = segment.last
                yield batch
                continue
            if tail.over:
                return
            await watcher.wait(tail)
            if watcher.beat:
                watcher.beat = False
                if after >= tail.head:
                    yield None
    finally:
        tail.forget(watcher)
