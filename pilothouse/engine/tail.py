"""The shared in-memory end of a log: one reader per run and server, many watchers.

Page load, refresh, reconnect, late joiner and slow reader are one operation:
read the segment that holds `seq > after`. Recent segments stay in memory;
older ones are read again from the store, once for everybody who waits for
them. The bus only says *that* there is news; the news is always read from the
store by `seq`, so a lost ring delays and can never drop.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from pilothouse import clock
from pilothouse.contracts import Store
from pilothouse.engine.doorbell import Doorbell
from pilothouse.engine.segment import SEGMENT, Gap, Segment, segment_of, unbroken
from pilothouse.engine.traffic import Traffic
from pilothouse.engine.watcher import Source
from pilothouse.errors import NotFound, Unavailable
from pilothouse.model.transition import LAST_WORDS

KEPT_SEGMENTS = 64
KEPT_BYTES = 32 * 1024 * 1024
READ_LIMIT = 2_000
RETRY_SECONDS = 0.5
LOOK_SECONDS = 5.0
_TIME = re.compile(rb'"time":"([^"]+)"')
_log = logging.getLogger(__name__)


class Tail(Source):
    """The end of one run's log on this server.

    Attributes:
        head: The last `seq` this server knows.
        over: The run has ended (or was deleted): after `head` nothing comes.
        watchers: How many follow it.
    """

    def __init__(
        self,
        store: Store,
        doorbell: Doorbell,
        run_id: str,
        look_seconds: float = LOOK_SECONDS,
        traffic: Traffic | None = None,
    ) -> None:
        super().__init__()
        self._traffic = traffic
        self._news: tuple[int, str] | None = None
        self.run_id = run_id
        self._look_seconds = look_seconds
        self.head = 0
        self.over = False
        self.watchers = 0
        self._store = store
        self._doorbell = doorbell
        self._segments: OrderedDict[int, Segment] = OrderedDict()
        self._loading: dict[int, asyncio.Task[Segment]] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def epoch(self) -> str:
        """The epoch of the database that the log is in."""
        return self._store.epoch

    async def open(self) -> None:
        """Learn where the log stands, and follow it from here.

        Raises:
            NotFound: No such run.
        """
        started = asyncio.Event()
        self._task = asyncio.create_task(self._follow(started))
        self._task.add_done_callback(self._stopped)
        await started.wait()
        run = await self._store.get(self.run_id)
        self.head = max(self.head, run.head)
        self.over = self.over or run.status.is_terminal

    async def close(self) -> None:
        """Stop following."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def segment(self, after: int) -> Segment | Gap:
        """What comes after a place, which must be below `head`: events, or which of them are gone.

        Raises:
            NotFound: The run was deleted meanwhile.
        """
        first = segment_of(after)
        ready = self.ready(after)
        if ready is not None:
            self._segments.move_to_end(first)
            return ready
        loading = self._loading.get(first)
        if loading is not None:
            segment = await asyncio.shield(loading)
            if segment.holds(after):
                return segment
            loading = self._loading.get(first)  # that read began before our events were written
        if loading is None:
            loading = asyncio.create_task(self._load(first))
            self._loading[first] = loading
            loading.add_done_callback(lambda done: self._loaded(first, done))
        segment = await asyncio.shield(loading)
        return segment if segment.holds(after) else await self._beyond(after)

    async def reach(self, after: int) -> int:
        """How long the log is; asks the store where this server may not have heard of a place yet."""
        return self.head if after <= self.head else (await self._store.get(self.run_id)).head

    def ready(self, after: int) -> Segment | None:
        """The same without waiting: None when the segment must be read from the store."""
        segment = self._segments.get(segment_of(after))
        return segment if segment is not None and segment.holds(after) else None

    async def _beyond(self, after: int) -> Segment | Gap:
        """The whole gap after a place, however many segments it spans."""
        head = self.head
        frames = await self._store.read(self.run_id, after, SEGMENT)
        if not frames:
            await self._store.get(self.run_id)  # a deleted run has no gap
            return Gap(after + 1, head)
        if frames[0].seq > after + 1:
            return Gap(after + 1, frames[0].seq - 1)
        return Segment(segment_of(after), self.epoch, unbroken(frames), after + 1)

    def _loaded(self, first: int, done: asyncio.Task[Segment]) -> None:
        if self._loading.get(first) is done:
            del self._loading[first]
        if not done.cancelled():
            done.exception()  # whoever still waits gets it; nobody may

    async def _load(self, first: int) -> Segment:
        frames = await self._store.read(self.run_id, first - 1, SEGMENT)
        inside = [frame for frame in frames if frame.seq < first + SEGMENT]
        segment = Segment(first, self.epoch, unbroken(inside), inside[0].seq if inside else first)
        self._keep(segment)
        return segment

    def _keep(self, segment: Segment) -> None:
        self._segments[segment.first] = segment
        self._segments.move_to_end(segment.first)
        self._forget_old()

    def _forget_old(self) -> None:
        """Let go of the segments that were used longest ago, but for one: they are read again on demand."""
        size = sum(segment.size for segment in self._segments.values())
        while len(self._segments) > KEPT_SEGMENTS or (size > KEPT_BYTES and len(self._segments) > 1):
            _, segment = self._segments.popitem(last=False)
            size -= segment.size

    async def _follow(self, started: asyncio.Event) -> None:
        with self._doorbell.listen(self.run_id) as ear:
            started.set()
            while True:
                try:
                    async with asyncio.timeout(None if self.over else self._look_seconds):
                        await ear.wait()
                except TimeoutError:
                    pass  # a ring may be lost: look anyway
                ear.clear()
                try:
                    news = await self._read_news()
                except Unavailable:
                    ear.set()
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
                except NotFound:
                    news = self.over = True
                if news:
                    await self.wake_all()

    def written(self) -> None:
        """Count the news that whoever slept has now, and how long after its append that was."""
        if self._traffic and self._news:
            (began_at, time), self._news = self._news, None
            seconds = clock.seconds_between(time, clock.now())
            self._traffic.count(self.head - began_at, self.watchers, seconds)

    def _stopped(self, following: asyncio.Task[None]) -> None:
        """Nobody waits for news that cannot come: whoever comes back opens another tail."""
        if not following.cancelled():
            _log.error("the log of %s cannot be followed", self.run_id, exc_info=following.exception())
            self.dismiss()

    async def _read_news(self) -> bool:
        """Read what is above `head` into the segments."""
        began_at = self.head
        if began_at == 0:
            return False  # open() has not said yet where the log stands
        while frames := await self._store.read(self.run_id, self.head, READ_LIMIT):
            if self._traffic and self.head == began_at and (time := _TIME.search(frames[0].data)):
                self._news = (began_at, time[1].decode())
            for frame in frames:
                first = segment_of(frame.seq - 1)
                segment = self._segments.get(first)
                if segment is None and frame.seq == first:
                    segment = Segment(first, self.epoch)
                    self._keep(segment)
                if segment is not None and segment.last == frame.seq - 1:
                    segment.add(frame.data)
                self.head = frame.seq
                self.over = self.over or frame.type in LAST_WORDS
            if len(frames) < READ_LIMIT:
                break
        if self.head == began_at:
            run = await self._store.get(self.run_id)
            self.over = run.status.is_terminal and run.head == self.head
        return self.head > began_at or self.over


class Tails:
    """The tails of one server; a tail lives while somebody follows it.

    Attributes:
        traffic: What goes out by them.
    """

    def __init__(self, store: Store, doorbell: Doorbell, look_seconds: float = LOOK_SECONDS) -> None:
        self.traffic = Traffic()
        self._store = store
        self._doorbell = doorbell
        self._look_seconds = look_seconds
        self._tails: dict[str, Tail] = {}
        self._closed = False
        self._opening: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def all(self) -> list[Tail]:
        """Every tail that somebody follows."""
        return list(self._tails.values())

    def dismiss(self) -> None:
        """End every stream, and every one that is opened from now on."""
        self._closed = True
        for tail in self.all:
            tail.dismiss()

    def watchers(self, run_id: str) -> int:
        """How many follow this run on this server."""
        tail = self._tails.get(run_id)
        return tail.watchers if tail else 0

    @asynccontextmanager
    async def follow(self, run_id: str) -> AsyncIterator[Tail]:
        """The run's tail, opened for the first watcher and closed after the last.

        Raises:
            NotFound: No such run.
        """
        tail = await self.enter(run_id)
        try:
            yield tail
        finally:
            await self.leave(tail)

    async def leave(self, tail: Tail) -> None:
        """One watcher less; the last one closes the tail."""
        tail.watchers -= 1
        if tail.watchers == 0 and self._tails.get(tail.run_id) is tail:
            del self._tails[tail.run_id]
            await tail.close()

    async def enter(self, run_id: str) -> Tail:
        """The run's tail with one watcher more, who must `leave` it.

        Raises:
            NotFound: No such run.
        """
        tail = self._tails.get(run_id)
        if tail is None:
            lock = self._opening.setdefault(run_id, asyncio.Lock())
            async with lock:
                tail = self._tails.get(run_id) or await self._open(run_id)
        tail.watchers += 1
        return tail

    async def _open(self, run_id: str) -> Tail:
        tail = Tail(self._store, self._doorbell, run_id, self._look_seconds, self.traffic)
        try:
            await tail.open()
        except BaseException:
            await tail.close()
            raise
        tail.closed = self._closed
        self._tails[run_id] = tail
        return tail
