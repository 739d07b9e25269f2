"""The browser's one stream: every run's header, and all events of the runs somebody looks at.

A browser has few connections to a server, so it holds one of these for all
its tabs. Headers come from the fleet (latest value wins); events come from
the tails of the watched runs, in order and whole.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager

from pilothouse.clock import now
from pilothouse.engine.fleet import Fleet
from pilothouse.engine.segment import PIECE_BYTES, Gap
from pilothouse.engine.tail import Tail, Tails
from pilothouse.engine.watcher import Watcher
from pilothouse.errors import Invalid, NotFound, Unavailable
from pilothouse.transports import packing, sse, websocket
from pilothouse.transports.place import Place
from pilothouse.transports.service import bye, gap, hello, reset, service_frame, sse_opening
from pilothouse.version import __version__

MAX_WATCHED = 64


def parse_watch(text: str | None) -> dict[str, Place]:
    """Read `id:after,id:after`.

    Raises:
        Invalid: Malformed, or more than 64 runs.
    """
    watched: dict[str, Place] = {}
    for part in filter(None, (text or "").split(",")):
        run_id, _, after = part.partition(":")
        watched[run_id] = Place.parse(after, "watch")
    if len(watched) > MAX_WATCHED:
        raise Invalid(f"watch: {len(watched)} runs", hint=f"Watch at most {MAX_WATCHED}.", field="watch")
    return watched


class BrowserStream:
    """What one browser follows. `batches` yields frames until the client leaves or should come back."""

    def __init__(self, tails: Tails, fleet: Fleet, watched: Mapping[str, Place]) -> None:
        self.watcher = Watcher()
        self._tails = tails
        self._fleet = fleet
        self._watched = watched
        self._places: dict[Tail, int] = {}

    @asynccontextmanager
    async def counted(self) -> AsyncGenerator[None]:
        """One browser's stream more, for as long as the block lasts."""
        self._tails.traffic.browsers += 1
        try:
            yield
        finally:
            self._tails.traffic.browsers -= 1

    async def batches(self) -> AsyncGenerator[list[bytes]]:
        """Frames that belong into one write; an empty list is a heartbeat."""
        async with AsyncExitStack() as stack:
            data = {"server_time": now(), "version": __version__, "epoch": self._fleet.epoch}
            version = 0
            try:
                yield [service_frame("hello", data), *await self._open(stack)]
                while not self.watcher.gone:
                    headers, version = self._fleet.take(version)
                    if headers:
                        yield headers
                    if self._has_events():
                        async for frames in self._events():
                            yield frames
                        continue
                    if headers:
                        continue
                    await self.watcher.wait(self._fleet, *self._places)
                    if self.watcher.beat:
                        self.watcher.beat = False
                        yield []
            except Unavailable:
                return  # without a store to read from; whoever wants the rest comes back
            finally:
                for source in (self._fleet, *self._places):
                    source.forget(self.watcher)

    async def _open(self, stack: AsyncExitStack) -> list[bytes]:
        frames = []
        for run_id, place in self._watched.items():
            try:
                tail = await stack.enter_async_context(self._tails.follow(run_id))
                lost = await place.lost_in(tail)
            except NotFound:
                frames.append(_deleted(run_id))
                continue
            self._places[tail] = 0 if lost else place.after
            frames.append(hello(tail, self._places[tail]))
            if lost:
                frames.append(reset(tail, lost))
        return frames

    def _has_events(self) -> bool:
        return any(after < tail.head for tail, after in self._places.items())

    async def _events(self) -> AsyncGenerator[list[bytes]]:
        """One segment of each watched run that has news."""
        for tail, after in list(self._places.items()):
            if after >= tail.head:
                continue
            try:
                segment = tail.ready(after) or await tail.segment(after)
            except NotFound:
                del self._places[tail]
                tail.forget(self.watcher)
                yield [_deleted(tail.run_id)]
                continue
            self._places[tail] = segment.last
            yield [gap(tail.run_id, segment)] if isinstance(segment, Gap) else segment.after(after)


def _deleted(run_id: str) -> bytes:
    return service_frame("run.deleted", {"id": run_id}, run_id)


async def serve_browser_sse(
    stream: BrowserStream, receive: sse.Receive, send: sse.Send, *, is_packed: bool = False
) -> None:
    """The browser's stream as server-sent events, without ids: the places are in the URL.

    Args:
        stream: What the browser follows.
        receive: The ASGI channel.
        send: The ASGI channel.
        is_packed: With gzip.
    """
    headers = sse.HEADERS
    if is_packed:
        headers, send = [*headers, *packing.HEADERS], packing.packed(send)
    async with sse.Listening(receive, stream.watcher), stream.counted():
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await sse.write(send, sse_opening(b""))
        async with aclosing(stream.batches()) as batches:
            async for frames in batches:
                for body in _pieces(frames):
                    await sse.write(send, body)
        await sse.write(send, b"data: " + bye() + b"\n\n", more=False)


def _pieces(frames: Sequence[bytes]) -> Iterator[bytes]:
    """Frames as server-sent events, in writes of limited size; no frames are a heartbeat."""
    parts: list[bytes] = []
    size = 0
    for frame in frames:
        parts.append(b"data: " + frame + b"\n\n")
        size += len(frame)
        if size >= PIECE_BYTES:
            yield b"".join(parts)
            parts, size = [], 0
    if parts or not frames:
        yield b"".join(parts) or sse.HEARTBEAT


async def serve_browser_websocket(stream: BrowserStream, receive: sse.Receive, send: sse.Send) -> None:
    """The browser's stream over an accepted WebSocket."""
    async with sse.Listening(receive, stream.watcher), stream.counted():
        async with aclosing(stream.batches()) as batches:
            async for frames in batches:
                for frame in frames or [websocket.HEARTBEAT]:
                    if not stream.watcher.gone:
                        await websocket.send_text(send, frame)
        await websocket.farewell(send, stream.watcher, over=False)
