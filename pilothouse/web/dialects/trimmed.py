"""What is still known of the part of a log that was trimmed, told as the events it was made of.

A message of a dialect counts what came before it, so a client that is told of a gap
only would be shown wrong numbers, and never the results that are kept as items.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncGenerator
from typing import Any

from pilothouse.contracts import Store
from pilothouse.engine.segment import Gap
from pilothouse.errors import NotFound
from pilothouse.questions import Item, ItemQuery

_PAGE = 500
_KEPT = ("run.queued", "run.started", "run.paused", "run.resumed", "run.interrupted", "state.saved")
_MOST = 5_000
Event = dict[str, Any]


async def remembered(store: Store, run_id: str, gap: Gap) -> AsyncGenerator[list[Event]]:
    """The total, the items and the turns of a run within a gap, in their order, page by page.

    Of a run that is deleted meanwhile nothing more comes.
    """
    try:
        run = await store.get(run_id)
        frames = await store.read(run_id, gap.first - 1, _MOST, _KEPT)
        turns = deque(json.loads(frame.data) for frame in frames if frame.seq <= gap.last)
        told: Event = {"done": 0, "total": run.progress.total, "groups": {}}
        yield [{"type": "progress", "seq": gap.first, "time": run.created_at, "data": told}]
        after = gap.first - 1
        while items := await _items(store, run_id, after, gap.last):
            page: list[Event] = []
            for item in items:
                while turns and turns[0]["seq"] < item.seq:
                    page.append(turns.popleft())
                page.append(_event(item))
            yield page
            after = items[-1].seq
        yield list(turns)
    except NotFound:
        return


async def _items(store: Store, run_id: str, after: int, last: int) -> tuple[Item, ...]:
    return (await store.items(run_id, ItemQuery(limit=_PAGE, after=after, before=last + 1))).items


def _event(item: Item) -> Event:
    """The newest event of an item."""
    if item.state == "in_flight":
        type_, data = "item.started", {"key": item.key, "label": item.label}
    else:
        type_, data = "item.finished", _result(item)
    return {"type": type_, "seq": item.seq, "time": item.time, "data": data}


def _result(item: Item) -> Event:
    return {
        "key": item.key,
        "ok": item.state == "done",
        "seconds": item.seconds,
        "error": item.error,
        "data": item.data,
    }
