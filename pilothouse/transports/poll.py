"""Polling, long when asked: the same frames, as one JSON answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from pydantic_core import to_json

from pilothouse.contracts import Frame, Store
from pilothouse.engine.doorbell import Doorbell
from pilothouse.engine.segment import Gap
from pilothouse.model.run import Run
from pilothouse.transports.place import Place
from pilothouse.transports.service import gap_data

ANSWER_BYTES = 2 * 1024 * 1024


async def poll(
    store: Store,
    doorbell: Doorbell,
    run_id: str,
    place: Place,
    *,
    limit: int,
    types: Sequence[str] = (),
    newest: bool = False,
    wait: float = 0.0,
) -> bytes:
    """The events after a place, as `{"events", "head", "epoch"}`, with `gap`, `reset` or `cut` where there is one.

    Args:
        store: Where the log is.
        doorbell: Tells of news while waiting.
        run_id: The run.
        place: Where the client stands. A place that does not exist is answered from the beginning.
        limit: At most so many events; fewer when they are large.
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
            lost = place.lost(store.epoch, run.head)
            after = 0 if lost else place.after
            frames = await store.read(run_id, after, limit, types, newest)
            gap = None if newest else await _gap(store, run, after, () if types else frames)
            left = deadline - loop.time()
            is_told = bool(frames or lost or gap)
            if is_told or left <= 0 or run.status.is_terminal or doorbell.closed:
                fitting = _fitting(frames, newest)
                more = _more(lost, gap, is_cut=len(fitting) < len(frames))
                return _answer(store.epoch, run, fitting, more)
            try:
                await asyncio.wait_for(ear.wait(), left)
            except TimeoutError:
                continue


async def _gap(store: Store, run: Run, after: int, frames: Sequence[Frame]) -> Gap | None:
    """Which events right after a place are gone, known from the frames that follow it."""
    if after >= run.head:
        return None
    first = frames or await store.read(run.id, after, 1)
    last = first[0].seq - 1 if first else run.head
    return Gap(after + 1, last) if last > after else None


def _fitting(frames: Sequence[Frame], newest: bool) -> Sequence[Frame]:
    """As many frames as one answer may hold, at least one: a client that does not read costs no more."""
    size = 0
    for count, frame in enumerate(reversed(frames) if newest else frames):
        size += len(frame.data)
        if size > ANSWER_BYTES and count:
            return frames[-count:] if newest else frames[:count]
    return frames


def _more(lost: str | None, gap: Gap | None, *, is_cut: bool) -> dict[str, Any]:
    """What there is to say beside the events; mostly nothing."""
    more: dict[str, Any] = {}
    if lost:
        more["reset"] = {"reason": lost}
    if gap:
        more["gap"] = gap_data(gap)
    if is_cut:
        more["cut"] = True
    return more


def _answer(epoch: str, run: Run, frames: Sequence[Frame], more: dict[str, Any]) -> bytes:
    """The answer's JSON, made of the frames as they are stored."""
    events = b",".join(frame.data for frame in frames)
    rest = to_json({"head": run.head, "epoch": epoch} | more)
    return b'{"events":[%b],%b' % (events, rest[1:])
