"""What a measured server offers beside its routes: commands on standard input, answers on standard output.

It also carries a ticker that notes how late the event loop is.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

TICK = 0.005
EVENT_BYTES = 250

Handler = Callable[..., Awaitable[dict[str, Any]]]


class Control:
    """Obeys one command at a time, in the server's event loop."""

    def __init__(self, handlers: dict[str, Handler]) -> None:
        self._handlers = {"lag": self._lag, **handlers}
        self._late: list[float] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin; called in the event loop once the server is up."""
        loop = asyncio.get_running_loop()

        def read() -> None:
            for line in sys.stdin:
                asyncio.run_coroutine_threadsafe(self._obey(json.loads(line)), loop).result()

        threading.Thread(target=read, daemon=True).start()
        task = loop.create_task(self._tick())
        self._tasks.add(task)

    async def _obey(self, command: dict[str, Any]) -> None:
        answer = await self._handlers[command.pop("do")](**command)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()

    async def _tick(self) -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(TICK)
            self._late.append(time.perf_counter() - before - TICK)

    async def _lag(self) -> dict[str, Any]:
        late, self._late = sorted(self._late), []
        if not late:
            return {"p50_ms": 0.0, "p99_ms": 0.0, "max_ms": 0.0}
        return {
            "p50_ms": late[len(late) // 2] * 1e3,
            "p99_ms": late[int(len(late) * 0.99)] * 1e3,
            "max_ms": late[-1] * 1e3,
        }


async def pace(rate: float, seconds: float, say: Callable[[int, int], Awaitable[None]]) -> int:
    """Call `say(first, count)` so that `rate` events a second are said for so long; gives their number."""
    total, said = round(rate * seconds), 0
    began = time.perf_counter()
    while said < total:
        due = min(total, int((time.perf_counter() - began) * rate) + 1)
        if due > said:
            await say(said, due - said)
            said = due
        await asyncio.sleep(max(0.0, began + said / rate - time.perf_counter()))
    return total


def payload() -> dict[str, Any]:
    """What an event of the benchmark says: when, and filling up to 250 bytes of JSON on the wire."""
    return {"t": round(time.monotonic(), 6), "pad": "x" * 71}
