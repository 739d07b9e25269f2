"""An engine on the memory plugs, a kind for it, and stores that are slow or cut off on demand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict

from pilothouse.buses.memory import MemoryBus
from pilothouse.contracts import Appended, Frame
from pilothouse.engine.engine import Engine
from pilothouse.engine.scheduler import Scheduler
from pilothouse.engine.segment import Gap
from pilothouse.engine.tail import Tail, Tails
from pilothouse.engine.watcher import Watcher
from pilothouse.errors import Unavailable
from pilothouse.model import event as e
from pilothouse.model.run import Control, Run, Strength
from pilothouse.questions import RunPage, RunQuery
from pilothouse.sdk.kind import Kind
from pilothouse.stores.memory import MemoryStore
from pilothouse.testing.samples import a_run
from pilothouse.transports.follow import Batch, follow


class Params(BaseModel):
    """Params of the kind that tests start."""

    model_config = ConfigDict(extra="forbid")

    count: int = 3
    speed: float = 1.0


KIND = Kind(
    name="benchmark",
    title="Benchmark",
    prefix="bench",
    entry="nowhere:run",
    params=Params,
    summary="Counts.",
    unit="test",
    units="tests",
    live_params=("speed",),
    max_attempts=2,
    backoff_seconds=0,
)

STARTED = e.RunStarted(attempt=1)
AGAIN = e.RunStarted(attempt=2)
PAUSE = e.ControlRequested(control=Control.PAUSE, actor="ada")
CANCEL = e.ControlRequested(control=Control.CANCEL, actor="ada")
FORCE = e.ControlRequested(control=Control.CANCEL, actor="ada", force=True)
HELD = e.RunPaused(actor="ada")
RELEASED = e.RunPaused(actor="ada", strength=Strength.RELEASE)
COMPLETED = e.RunCompleted()
FAILED = e.RunFailed(message="it broke")
CANCELLED = e.RunCancelled(by="ada")
INTERRUPTED = e.RunInterrupted(reason="signal 9")


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class GatedStore(MemoryStore):
    """A memory store whose reads wait behind a gate after they have looked, as a slow disk does."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.gate.set()
        self.reads = 0

    async def read(
        self, run_id: str, after: int, limit: int = 1000, types: Sequence[str] = (), newest: bool = False
    ) -> Sequence[Frame]:
        self.reads += 1
        frames = await super().read(run_id, after, limit, types, newest)
        await self.gate.wait()
        return frames


class AwayStore(MemoryStore):
    """A memory store that is away for the next call, or the next event, of those that a test names."""

    def __init__(self) -> None:
        super().__init__()
        self.away: set[str] = set()

    def _reach(self, call: str) -> None:
        if call in self.away:
            self.away.remove(call)
            raise Unavailable("the disk is full")

    async def list(self, query: RunQuery) -> RunPage:
        self._reach("list")
        return await super().list(query)

    async def append(self, run_id: str, bodies: Sequence[e.Body], **more: Any) -> Appended:
        for body in bodies:
            self._reach(body.type)
        return await super().append(run_id, bodies, **more)

    async def renew(self, run_id: str, attempt: int, seconds: float) -> Run:
        self._reach("renew")
        return await super().renew(run_id, attempt, seconds)


class BusyStore(MemoryStore):
    """A memory store in which others append just before an append of ours gets its turn."""

    def __init__(self) -> None:
        super().__init__()
        self.others: list[e.Body | Sequence[e.Body]] = []
        self.is_away = False
        self.refused = asyncio.Event()

    async def get(self, run_id: str) -> Run:
        if self.is_away:
            self.refused.set()
            raise Unavailable("the disk is full")
        return await super().get(run_id)

    async def append(self, run_id: str, bodies: Sequence[e.Body], **more: Any) -> Appended:
        if self.others:
            first = self.others.pop(0)
            await super().append(run_id, [first] if isinstance(first, e.Body) else first)
        return await super().append(run_id, bodies, **more)


@dataclass
class Parts:
    """What a test of the engine needs."""

    store: MemoryStore = field(default_factory=MemoryStore)
    bus: MemoryBus = field(default_factory=MemoryBus)

    def __post_init__(self) -> None:
        self.engine = Engine(self.store, self.bus, {KIND.name: KIND})
        self.scheduler = Scheduler(self.engine)
        self.tails = Tails(self.store, self.engine.doorbell)

    async def run(self, *bodies: e.Body, **changes: Any) -> Run:
        """A new run with these events in its log."""
        run, _ = await self.engine.submit(a_run(**{"params": {"count": 3, "speed": 1.0}} | changes))
        return (await self.engine.append(run.id, *bodies)).run if bodies else run


async def seqs_of(tail: Tail, after: int = 0, watcher: Watcher | None = None) -> list[int]:
    """The seqs that one watcher gets until the run is over; a gap fails."""
    got: list[int] = []
    async for batch in follow(tail, watcher or Watcher(), after):
        assert not isinstance(batch, Gap), batch
        if isinstance(batch, Batch):
            got += [json.loads(frame)["seq"] for frame in batch.frames()]
    return got


async def settle(turns: int = 20) -> None:
    """Let every task that can go on do so."""
    for _ in range(turns):
        await asyncio.sleep(0)
