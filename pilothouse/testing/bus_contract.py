"""What every bus promises. Subclass it and provide a `bus` fixture that is open.

```python
class TestMyBus(BusContract):
    @pytest.fixture
    async def bus(self) -> AsyncIterator[Bus]: ...
```
"""
# ruff: noqa: D102 — the tests' names are sentences

from __future__ import annotations

import asyncio
from collections.abc import Callable

from pilothouse.contracts import Bus

PATIENCE_SECONDS = 5.0


class Heard:
    """Collects rings and lets a test wait for one."""

    def __init__(self) -> None:
        self.rings: list[str] = []
        self._came = asyncio.Event()

    def __call__(self, run_id: str) -> None:
        """A ring."""
        self.rings.append(run_id)
        self._came.set()

    async def until(self, is_enough: Callable[[list[str]], bool]) -> None:
        """Wait until the rings are enough."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not is_enough(self.rings):
                self._came.clear()
                await self._came.wait()


class BusContract:
    """The tests."""

    async def test_a_ring_is_heard(self, bus: Bus) -> None:
        heard = Heard()
        bus.subscribe(heard)

        await bus.ring("r1")

        await heard.until(lambda rings: rings == ["r1"])

    async def test_everybody_hears_a_ring(self, bus: Bus) -> None:
        heard = [Heard(), Heard(), Heard()]
        for listener in heard:
            bus.subscribe(listener)

        await bus.ring("r1")

        for listener in heard:
            await listener.until(lambda rings: rings == ["r1"])

    async def test_rings_come_in_order(self, bus: Bus) -> None:
        heard = Heard()
        bus.subscribe(heard)
        ids = [f"r{index}" for index in range(50)]

        for run_id in ids:
            await bus.ring(run_id)

        await heard.until(lambda rings: rings == ids)

    async def test_whoever_left_hears_nothing(self, bus: Bus) -> None:
        gone, there = Heard(), Heard()
        leave = bus.subscribe(gone)
        bus.subscribe(there)

        leave()
        leave()
        await bus.ring("r1")

        await there.until(lambda rings: rings == ["r1"])
        assert gone.rings == []

    async def test_a_listener_that_fails_harms_nobody(self, bus: Bus) -> None:
        def fail(_: str) -> None:
            raise ValueError

        heard = Heard()
        bus.subscribe(fail)
        bus.subscribe(heard)

        await bus.ring("r1")
        await bus.ring("r2")

        await heard.until(lambda rings: rings == ["r1", "r2"])

    async def test_after_the_close_no_ring_comes_and_none_raises(self, bus: Bus) -> None:
        heard = Heard()
        bus.subscribe(heard)

        await bus.close()
        await bus.ring("r1")
        await asyncio.sleep(0)

        assert heard.rings == []
