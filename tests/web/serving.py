"""A real server on a real port, in a thread, for tests that speak HTTP to it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import uvloop
from pydantic import BaseModel, ConfigDict, Field

from pilothouse.sdk.kind import Column, Kind, Metric
from pilothouse.sdk.panels import Stats
from pilothouse.settings import Settings
from pilothouse.web.serve import StreamServer, listen, quiet_logs, uvicorn_config
from pilothouse.web.server import Server


class CountingParams(BaseModel):
    """Params of the kind that tests start."""

    model_config = ConfigDict(extra="forbid")

    count: int = Field(default=3, ge=0, le=100_000, title="Count")
    word: str = "one"
    speed: float = 1.0


COUNTING = Kind(
    name="counting",
    title="Counting",
    prefix="count",
    entry="tests.jobs.counting:run",
    params=CountingParams,
    summary="Counts.",
    unit="step",
    units="steps",
    columns=(Column("word", "Word"), Column("square", "Square", "integer")),
    metrics=(Metric("sum", "Sum", "integer"),),
    panels=(Stats("Numbers", ("sum",)),),
    headline="sum",
    live_params=("speed",),
    total=lambda params: int(params["count"]),
)
KINDS = {"counting": COUNTING}


@dataclass
class Running:
    """A server that answers at `url`."""

    url: str
    token: str
    server: Server
    data: Path
    loop: asyncio.AbstractEventLoop

    def client(self, **options: Any) -> httpx2.Client:
        """A client with the token."""
        headers = {"authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        return self.stranger(headers=headers, **options)

    def stranger(self, **options: Any) -> httpx2.Client:
        """A client without one; nor does it load certificates, which takes 20 ms."""
        return httpx2.Client(base_url=self.url, timeout=20, verify=False, **options)


@contextmanager
def running(data: Path, kinds: dict[str, Kind] | None = None, **settings: Any) -> Iterator[Running]:
    """Serve from a thread until the block ends."""
    quiet_logs()
    chosen = Settings(**{"data": data, "database": "memory:", **settings})
    sock = listen("127.0.0.1", 0, chosen.stall_seconds)
    port = sock.getsockname()[1]
    chosen = chosen.model_copy(update={"port": port})
    started = threading.Event()
    box: dict[str, Any] = {}

    async def serve() -> None:
        server = Server(chosen, kinds or KINDS)
        uvicorn_server = StreamServer(uvicorn_config(server), server)
        uvicorn_server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        box.update(server=server, uvicorn=uvicorn_server, loop=asyncio.get_running_loop())
        task = asyncio.create_task(uvicorn_server.serve(sockets=[sock]))
        while not (uvicorn_server.started or task.done()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        started.set()
        await task

    thread = threading.Thread(target=lambda: uvloop.run(serve()), daemon=True)
    thread.start()
    assert started.wait(20), "the server does not start"
    server: Server = box["server"]
    token = (data / "token").read_text().strip()
    try:
        yield Running(f"http://127.0.0.1:{port}", token, server, data, box["loop"])
    finally:
        box["loop"].call_soon_threadsafe(server.stop_streams)
        box["uvicorn"].should_exit = True
        thread.join(20)
        sock.close()
        assert not thread.is_alive(), "the server does not stop"
