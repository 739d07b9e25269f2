"""Runs, events and small verbs that read well in tests."""

from __future__ import annotations

import itertools
from typing import Any

from pilothouse.contracts import MAX_APPEND, NewRun, Store
from pilothouse.model import event as e
from pilothouse.model.run import Control, Run

PAUSE = e.ControlRequested(control=Control.PAUSE, actor="ada")
CANCEL = e.ControlRequested(control=Control.CANCEL, actor="ada")
COMPLETED = e.RunCompleted()

_serial = itertools.count(1)


def a_run(run_id: str | None = None, **changes: Any) -> NewRun:
    """A run to create; its id is unique in the process."""
    serial = next(_serial)
    fields: dict[str, Any] = {
        "id": run_id or f"bench_{serial:06d}",
        "kind": "benchmark",
        "name": f"run-{serial}",
        "owner": "local",
        "params": {},
    }
    return NewRun(**fields | changes)


def an_item(key: str, **changes: Any) -> e.ItemFinished:
    """A finished item."""
    return e.ItemFinished(**{"key": key, "seconds": 0.5} | changes)


def a_note(text: str = "note") -> e.Note:
    """A line of the activity feed."""
    return e.Note(feed="metrics", text=text)


async def queued(store: Store, **changes: Any) -> str:
    """The id of a new run that waits."""
    run, _ = await store.create(a_run(**changes))
    return run.id


async def running(store: Store, **changes: Any) -> str:
    """The id of a new run whose first attempt has begun."""
    run_id = await queued(store, **changes)
    await store.append(run_id, [e.RunStarted(attempt=1)])
    return run_id


async def ended(store: Store, *items: e.ItemFinished, **changes: Any) -> str:
    """The id of a new run that has completed with these items."""
    run_id = await running(store, **changes)
    for start in range(0, len(items), MAX_APPEND):
        await store.append(run_id, items[start : start + MAX_APPEND])
    await store.append(run_id, [COMPLETED])
    return run_id


async def types(store: Store, run_id: str) -> list[str]:
    """The event types of a log, in order."""
    return [frame.type for frame in await store.read(run_id, 0)]


async def log_of(store: Store, run_id: str) -> tuple[list[int], Run]:
    """The seqs of a log and the run's state."""
    frames = await store.read(run_id, 0, 100_000)
    return [frame.seq for frame in frames], await store.get(run_id)
