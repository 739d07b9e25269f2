"""The SQL store on SQLite keeps the store contract."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from pilothouse.contracts import Store
from pilothouse.stores.sql import SqlStore
from pilothouse.testing.store_contract import DurableContract, StoreContract

pytestmark = pytest.mark.anyio


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'new' / 'pilothouse.db'}"


class TestSqliteStore(StoreContract, DurableContract):
    @pytest.fixture
    async def store(self, url: str) -> AsyncIterator[Store]:
        store = SqlStore(url)
        await store.open()
        yield store
        await store.close()

    @pytest.fixture
    async def reopen(self, url: str) -> AsyncIterator[Callable[[Store], Awaitable[Store]]]:
        opened = SqlStore(url)

        async def again(store: Store) -> Store:
            await store.close()
            await opened.open()
            return opened

        yield again
        await opened.close()
