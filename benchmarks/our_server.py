"""The measured server: Pilothouse as `pilothouse up` serves it, and a benchmark's commands beside it."""

from __future__ import annotations

import itertools
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from benchmarks.control import Control, pace, payload
from pilothouse.contracts import NewRun
from pilothouse.model import event as e
from pilothouse.settings import Settings
from pilothouse.web import serve
from pilothouse.web.server import Server

LONG = 36_000.0
BATCH = 500


class BenchServer(Server):
    """A server that also makes runs and says events when it is told to."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, kinds={})
        self._said = itertools.count(1)
        self._control = Control({"run": self.make_run, "publish": self.publish, "burst": self.burst})

    async def make_run(self) -> dict[str, Any]:
        """A running run, its log at seq 2."""
        store = self.context.store
        run_id = f"bench_{next(self._said)}_{id(self):x}"[:30]
        await store.create(NewRun(run_id, "bench", run_id, "bench", {}))
        await self.context.engine.append(run_id, e.RunStarted(attempt=1, host="bench"))
        await store.renew(run_id, 1, LONG)
        return {"run": run_id, "seq": 2}

    async def publish(self, run: str, rate: float, seconds: float) -> dict[str, Any]:
        """Append events at a rate, each for itself unless the loop is late."""

        async def say(_: int, count: int) -> None:
            await self.context.engine.append(run, *self._events(count))

        said = await pace(rate, seconds, say)
        return {"said": said, "seq": (await self.context.store.get(run)).head}

    async def burst(self, run: str, count: int) -> dict[str, Any]:
        """Append events as fast as it goes."""
        for first in range(0, count, BATCH):
            await self.context.engine.append(run, *self._events(min(BATCH, count - first)))
        return {"seq": (await self.context.store.get(run)).head}

    def _events(self, count: int) -> list[e.ItemFinished]:
        return [
            e.ItemFinished(key=f"k{next(self._said):07d}", seconds=0.125, data=payload())
            for _ in range(count)
        ]

    @asynccontextmanager
    async def _lifespan(self, app: FastAPI) -> AsyncIterator[None]:
        async with super()._lifespan(app):
            self._control.start()
            yield


def main() -> None:
    """Serve on the port and with the data folder and database of the command line."""
    port, data, database = sys.argv[1:4]
    serve.quiet_logs()
    setattr(serve, "Server", BenchServer)  # noqa: B010 — served exactly as `pilothouse up` does it
    serve.serve(Settings(data=Path(data), port=int(port), database=database, heartbeat_seconds=3600))


if __name__ == "__main__":
    main()
