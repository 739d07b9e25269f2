"""All runs as the list pages see them: the latest header of each.

Here the latest value wins, so a client that was away is sent the newest
header of every run that changed, and nothing in between. A run's header goes
out at most five times a second, however fast its log grows.
"""

from __future__ import annotations

import asyncio
import logging

from pydantic_core import to_json

from pilothouse.contracts import EVERY_RUN, Bus, Store
from pilothouse.engine.watcher import Source
from pilothouse.errors import NotFound, Unavailable
from pilothouse.model.run import LIVE, TERMINAL, Run
from pilothouse.questions import RunQuery

PASS_SECONDS = 0.2
BUG_SECONDS = 5.0
KEPT_ENDED = 50
_PAGE = 1_000
_log = logging.getLogger(__name__)


class Fleet(Source):
    """The headers of all live runs and the newest ended ones.

    Attributes:
        version: Grows with every change; a client remembers the version it has.
    """

    def __init__(self, store: Store, bus: Bus) -> None:
        super().__init__()
        self.version = 0
        self._store = store
        self._frames: dict[str, tuple[int, bytes]] = {}
        self._live: set[str] = set()
        self._deleted: set[str] = set()
        self._dirty: dict[str, None] = {EVERY_RUN: None}
        self._news = asyncio.Event()
        self._news.set()
        self._unsubscribe = bus.subscribe(self._rung)
        self._task: asyncio.Task[None] | None = None

    @property
    def epoch(self) -> str:
        """The epoch of the database."""
        return self._store.epoch

    async def open(self) -> None:
        """Load the headers and follow the bus from here."""
        await self._pass()
        self._task = asyncio.create_task(self._follow())

    async def close(self) -> None:
        """Stop following."""
        self._unsubscribe()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def take(self, version: int) -> tuple[list[bytes], int]:
        """Frames that changed after `version`, oldest change first, and the version they lead to."""
        if version >= self.version:
            return [], version
        newer: list[bytes] = []
        for changed, frame in reversed(self._frames.values()):
            if changed <= version:
                break
            newer.append(frame)
        return newer[::-1], self.version

    def _rung(self, run_id: str) -> None:
        self._dirty[run_id] = None
        self._news.set()

    async def _follow(self) -> None:
        while True:
            await self._news.wait()
            await asyncio.sleep(0.01)  # gather a burst
            try:
                await self._pass()
                await self.wake_all()
            except Unavailable:
                self._rung(EVERY_RUN)
            except Exception:
                _log.exception("the fleet cannot be read")
                self._rung(EVERY_RUN)
                await asyncio.sleep(BUG_SECONDS)
            await asyncio.sleep(PASS_SECONDS)

    async def _pass(self) -> None:
        self._news.clear()
        dirty, self._dirty = self._dirty, {}
        if EVERY_RUN in dirty:
            del dirty[EVERY_RUN]
            dirty |= await self._load_all()
        for run_id in dirty:
            try:
                self._put(await self._store.get(run_id))
            except NotFound:
                self._remove(run_id)

    async def _load_all(self) -> dict[str, None]:
        """Load every header; returns the runs we know that were not among them."""
        runs: list[Run] = []
        before: int | None = None
        while True:
            page = await self._store.list(RunQuery(statuses=tuple(LIVE), limit=_PAGE, before=before))
            runs += page.runs
            before = page.before
            if before is None:
                break
        runs += (await self._store.list(RunQuery(statuses=tuple(TERMINAL), limit=KEPT_ENDED))).runs
        for run in sorted(runs, key=lambda run: run.number):
            self._put(run)
        return dict.fromkeys(self._frames.keys() - {run.id for run in runs} - self._deleted)

    def _put(self, run: Run) -> None:
        self._set(run.id, {"type": "run", "run_id": run.id, "data": run.header()})
        if run.status.is_terminal:
            self._live.discard(run.id)
            self._forget_old()
        else:
            self._live.add(run.id)

    def _remove(self, run_id: str) -> None:
        self._live.discard(run_id)
        self._deleted.add(run_id)
        self._set(run_id, {"type": "run.deleted", "run_id": run_id, "data": {"id": run_id}})
        self._forget_old()

    def _set(self, run_id: str, frame: dict[str, object]) -> None:
        self.version += 1
        self._frames.pop(run_id, None)
        self._frames[run_id] = (self.version, to_json(frame, inf_nan_mode="strings"))

    def _forget_old(self) -> None:
        ended = [run_id for run_id in self._frames if run_id not in self._live]
        for run_id in ended[: max(0, len(ended) - KEPT_ENDED)]:
            del self._frames[run_id]
            self._deleted.discard(run_id)
