"""The baseline: the design of the reference documents, as small as it can be.

One bounded queue per watcher, `put_nowait` for each of them at each event, and
FastAPI's own server-sent events. A full queue drops the event.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI
from fastapi.sse import EventSourceResponse

from benchmarks.control import Control, pace, payload
from pilothouse.web.serve import listen

QUEUE = 100

subscribers: dict[str, list[asyncio.Queue[dict[str, Any]]]] = {}
seqs: dict[str, int] = {}
numbers = itertools.count(1)


def broadcast(run: str, event: dict[str, Any]) -> None:
    """Give an event to every watcher's queue."""
    for queue in subscribers.get(run, []):
        with contextlib.suppress(asyncio.QueueFull):  # the design drops the event
            queue.put_nowait(event)


async def make_run() -> dict[str, Any]:
    """A run to watch."""
    run = f"run_{next(numbers)}"
    seqs[run] = 2
    return {"run": run, "seq": 2}


async def publish(run: str, rate: float, seconds: float) -> dict[str, Any]:
    """Broadcast events at a rate."""

    async def say(_: int, count: int) -> None:
        for _ in range(count):
            seqs[run] += 1
            data = {"key": f"k{seqs[run]:07d}", "ok": True, "seconds": 0.125, **payload()}
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z")
            broadcast(run, {"run_id": run, "seq": seqs[run], "type": "result", "time": stamp, "data": data})

    return {"said": await pace(rate, seconds, say), "seq": seqs[run]}


control = Control({"run": make_run, "publish": publish})


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Start the commands."""
    control.start()
    yield


app = FastAPI(lifespan=lifespan)


@app.get("/runs/{run}/stream", response_class=EventSourceResponse)
async def stream(run: str) -> AsyncIterator[dict[str, Any]]:
    """Follow a run."""
    queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(maxsize=QUEUE)
    subscribers.setdefault(run, []).append(queue)
    try:
        while True:
            yield await queue.get()
    finally:
        subscribers[run].remove(queue)


def main() -> None:
    """Serve on the port of the command line."""
    sock = listen("127.0.0.1", int(sys.argv[1]))
    config = uvicorn.Config(app, loop="uvloop", http="httptools", log_config=None, access_log=False)
    uvicorn.Server(config).run(sockets=[sock])


if __name__ == "__main__":
    main()
