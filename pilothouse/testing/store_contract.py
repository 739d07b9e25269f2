"""What every store promises. Subclass it and provide a `store` fixture that is open and empty.

```python
pytestmark = pytest.mark.anyio


class TestMyStore(StoreContract):
    @pytest.fixture
    async def store(self) -> AsyncIterator[Store]: ...
```

A store that outlives its process subclasses `DurableContract` too.
"""
# ruff: noqa: D102 — the tests' names are sentences

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from pilothouse.contracts import Store
from pilothouse.errors import Unavailable
from pilothouse.model import event as e
from pilothouse.model.run import Control
from pilothouse.questions import ItemQuery, RunQuery
from pilothouse.testing.append_contract import AppendContract, ControlContract, FenceContract
from pilothouse.testing.machine_contract import MachineContract, a_minute
from pilothouse.testing.read_contract import ItemContract, ReadContract
from pilothouse.testing.run_contract import (
    CreateContract,
    DeleteContract,
    EpochContract,
    FindContract,
    LeaseContract,
    WaitingContract,
)
from pilothouse.testing.samples import a_note, a_run, an_item, queued, running
from pilothouse.testing.trim_contract import TrimContract
from pilothouse.testing.writer_contract import VersionContract, WriterContract


class StoreContract(
    AppendContract,
    ControlContract,
    FenceContract,
    VersionContract,
    WriterContract,
    CreateContract,
    FindContract,
    LeaseContract,
    WaitingContract,
    DeleteContract,
    EpochContract,
    ReadContract,
    ItemContract,
    TrimContract,
    MachineContract,
):
    """The tests of every store."""


class DurableContract:
    """The tests of a store that keeps what it has: `reopen` closes a store and gives it back open."""

    async def test_everything_is_there_after_it_was_opened_again(
        self, store: Store, reopen: Callable[[Store], Awaitable[Store]]
    ) -> None:
        run_id = await running(store, params={"ü": [1, None]}, tags=("a",), idempotency_key="k")
        group = e.ProgressTold(total=3, groups={"g": 3})
        bodies = [group, e.PhaseStarted(name="p", index=1, of=2), an_item("a", group="g", data={"x": 1})]
        await store.append(run_id, bodies, attempt=1, client_seq=1)
        pause = e.ControlRequested(control=Control.PAUSE, actor="ada", reason="why")
        await store.append(run_id, [e.Metric(step=1, values={"loss": "NaN"}), pause])
        run, frames, epoch = await store.get(run_id), await store.read(run_id, 0), store.epoch
        items = await store.items(run_id, ItemQuery())
        await store.keep_minutes([a_minute(1)], 0)

        again = await reopen(store)

        assert again.epoch == epoch
        assert await again.get(run_id) == run
        assert await again.read(run_id, 0) == frames
        assert await again.items(run_id, ItemQuery()) == items
        assert await again.minutes("lab", 0) == [a_minute(1)]
        assert (await again.list(RunQuery())).runs == (run,)
        assert (await again.create(a_run(idempotency_key="k")))[0].id == run_id

    async def test_a_batch_stays_known_after_it_was_opened_again(
        self, store: Store, reopen: Callable[[Store], Awaitable[Store]]
    ) -> None:
        run_id = await running(store)
        await store.append(run_id, [an_item("a")], attempt=1, client_seq=1, lenient=True)
        await store.append(run_id, [a_note()], attempt=1, client_seq=1, writer="rank-1")

        again = await reopen(store)

        lane = await again.append(run_id, [a_note()], attempt=1, client_seq=1, writer="rank-1")
        assert (lane.frames, lane.acked) == ((), 1)
        assert (await again.append(run_id, [an_item("a")], attempt=1, client_seq=1)).frames == ()
        appended = await again.append(run_id, [an_item("a")], attempt=1, client_seq=2, lenient=True)
        assert list(appended.refused) == [2]

    async def test_numbers_go_on_after_it_was_opened_again(
        self, store: Store, reopen: Callable[[Store], Awaitable[Store]]
    ) -> None:
        first = await store.get(await queued(store))

        again = await reopen(store)

        assert (await again.create(a_run()))[0].number == first.number + 1

    async def test_a_closed_store_is_unavailable(self, store: Store) -> None:
        run_id = await queued(store)

        await store.close()

        with pytest.raises(Unavailable):
            await store.append(run_id, [a_note()])
        with pytest.raises(Unavailable):
            await store.get(run_id)
