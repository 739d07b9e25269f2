"""The memory bus keeps the bus contract."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pilothouse.buses.memory import MemoryBus
from pilothouse.contracts import Bus
from pilothouse.testing.bus_contract import BusContract

pytestmark = pytest.mark.anyio


class TestMemoryBus(BusContract):
    @pytest.fixture
    async def bus(self) -> AsyncIterator[Bus]:
        bus = MemoryBus()
        await bus.open()
        yield bus
        await bus.close()
