"""Logs are trimmed when the settings say so, and never otherwise."""

from __future__ import annotations

import pytest

from pilothouse import clock
from pilothouse.contracts import Store
from pilothouse.engine import retention as retention_module
from pilothouse.engine.retention import Retention
from pilothouse.model import event as e
from pilothouse.questions import RunPage, RunQuery
from pilothouse.stores.memory import MemoryStore
from pilothouse.testing.samples import COMPLETED, a_note, running

pytestmark = pytest.mark.anyio

LATER = "2999-01-01T00:00:00.000Z"


@pytest.fixture
def store() -> Store:
    return MemoryStore()


class CountingStore(MemoryStore):
    """A memory store that counts how often it is asked for a page of runs."""

    lists = 0

    async def list(self, query: RunQuery) -> RunPage:
        self.lists += 1
        return await super().list(query)


async def a_log(store: Store, notes: int, *more: e.Body) -> str:
    """A run with so many notes."""
    run_id = await running(store)
    await store.append(run_id, [a_note()] * notes)
    if more:
        await store.append(run_id, more)
    return run_id


async def test_without_settings_nothing_ever_goes(store: Store) -> None:
    run_id = await a_log(store, 900, COMPLETED)

    trimmed = await Retention(store, None, None, lambda: LATER).look()

    assert trimmed == []
    assert await store.first_seq(run_id) == 1


async def test_runs_that_ended_long_ago_are_trimmed_and_others_are_not(store: Store) -> None:
    old, live = await a_log(store, 20, COMPLETED), await a_log(store, 20)

    trimmed = await Retention(store, 30, None, lambda: LATER).look()

    assert [(run.id, first) for run, first in trimmed] == [(old, 23)]
    assert (await store.first_seq(old), await store.first_seq(live)) == (23, 1)


async def test_a_run_that_ended_lately_keeps_its_log(store: Store) -> None:
    run_id = await a_log(store, 20, COMPLETED)

    trimmed = await Retention(store, 30, None).look()

    assert trimmed == []
    assert await store.first_seq(run_id) == 1


async def test_a_long_log_keeps_its_newest_events_though_the_run_goes_on(store: Store) -> None:
    run_id, short = await a_log(store, 500), await a_log(store, 50)
    retention = Retention(store, None, 100)

    first = await retention.look()
    await store.append(run_id, [a_note()] * 10)
    second = await retention.look()
    await store.append(run_id, [a_note()])
    third = await retention.look()

    assert [(run.id, place) for run, place in first] == [(run_id, 403)]
    assert second == []
    assert [(run.id, place) for run, place in third] == [(run_id, 414)]
    assert await store.first_seq(short) == 1
    assert len(await store.read(run_id, 0)) == 100


async def test_each_look_reads_one_page_of_what_has_ended_and_every_log_has_its_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retention_module, "_PAGE", 2)
    store = CountingStore()
    runs = [await a_log(store, 20, COMPLETED) for _ in range(5)]
    retention = Retention(store, 30, None, lambda: LATER)

    looks = [[run.id for run, _ in await retention.look()] for _ in range(3)]

    assert looks == [runs[:2:-1], runs[2:0:-1], runs[:1]]
    assert store.lists == 3


async def test_a_log_that_became_old_after_its_turn_has_another_one(store: Store) -> None:
    run_id = await a_log(store, 20, COMPLETED)
    times = [clock.now(), LATER]
    retention = Retention(store, 30, None, lambda: times.pop(0))

    looks = [[run.id for run, _ in await retention.look()] for _ in range(2)]

    assert looks == [[], [run_id]]
