"""The memory store keeps the store contract."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pilothouse.contracts import Store
from pilothouse.stores.memory import MemoryStore
from pilothouse.testing.store_contract import StoreContract

pytestmark = pytest.mark.anyio


class TestMemoryStore(StoreContract):
    @pytest.fixture
    async def store(self) -> AsyncIterator[Store]:
        store = MemoryStore()
        await store.open()
        yield store
        await store.close()
