"""The fleet: the latest header of every live run and of the newest ended ones."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from pilothouse.engine import fleet as fleet_module
from pilothouse.engine.fleet import KEPT_ENDED, Fleet
from pilothouse.engine.watcher import Watcher
from pilothouse.model.run import Run
from pilothouse.testing.samples import a_note, an_item
from tests.engine import parts as p
from tests.engine.parts import BusyStore, Parts

pytestmark = pytest.mark.anyio


class Client:
    """One list page: folds frames by run, as a browser does."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self.version = 0
        self.frames = 0
        self.runs: dict[str, dict[str, Any]] = {}

    def look(self) -> None:
        """Take what is new."""
        frames, self.version = self._fleet.take(self.version)
        self.frames += len(frames)
        for frame in map(json.loads, frames):
            if frame["type"] == "run.deleted":
                self.runs.pop(frame["data"]["id"], None)
            else:
                self.runs[frame["run_id"]] = frame["data"]

    async def until_it_sees(self, run_id: str, **fields: Any) -> None:
        """Look until a run is as told; without fields, until it is gone."""
        watcher = Watcher()
        async with asyncio.timeout(3):
            while True:
                self.look()
                run = self.runs.get(run_id)
                if run is None and not fields:
                    return
                if run is not None and fields and all(run[name] == told for name, told in fields.items()):
                    return
                await watcher.wait(self._fleet)


@pytest.fixture
async def fleet(parts: Parts) -> AsyncIterator[Fleet]:
    fleet = Fleet(parts.store, parts.bus)
    await fleet.open()
    yield fleet
    await fleet.close()


async def test_who_comes_first_sees_all_live_runs_in_order_without_params(parts: Parts) -> None:
    runs = [await parts.run(), await parts.run(p.STARTED), await parts.run(p.STARTED, p.COMPLETED)]
    fleet = Fleet(parts.store, parts.bus)
    await fleet.open()
    client = Client(fleet)

    client.look()

    await fleet.close()
    assert list(client.runs) == [run.id for run in runs]
    assert all("params" not in header for header in client.runs.values())


@pytest.mark.rows("S4.94")
async def test_the_latest_value_wins_and_nothing_in_between_is_sent(parts: Parts, fleet: Fleet) -> None:
    client = Client(fleet)
    run = await parts.run(p.STARTED)
    for number in range(500):
        await parts.engine.append(run.id, an_item(str(number)))

    await client.until_it_sees(run.id, head=502)

    assert client.frames < 10


async def test_a_fleet_that_met_a_bug_goes_on(
    parts: Parts, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(fleet_module, "BUG_SECONDS", 0.0)
    client = Client(fleet)
    get, failures = parts.store.get, ["a bug"]

    async def failing(run_id: str) -> Run:
        if failures:
            raise RuntimeError(failures.pop())
        return await get(run_id)

    monkeypatch.setattr(parts.store, "get", failing)
    run = await parts.run(p.STARTED)

    await client.until_it_sees(run.id, head=2)

    assert "the fleet cannot be read" in caplog.text


async def test_a_client_that_was_away_gets_the_newest_header_of_what_changed(
    parts: Parts, fleet: Fleet
) -> None:
    quiet, busy = await parts.run(), await parts.run(p.STARTED)
    client = Client(fleet)
    await client.until_it_sees(busy.id, status="running")
    client.frames, before = 0, client.version

    await parts.engine.append(busy.id, a_note(), p.PAUSE, p.HELD)
    await client.until_it_sees(busy.id, status="paused")

    assert client.version > before
    assert client.runs[quiet.id]["status"] == "queued"
    assert client.frames <= 2


async def test_nothing_new_is_an_empty_take(fleet: Fleet) -> None:
    assert fleet.take(fleet.version) == ([], fleet.version)


async def test_a_deleted_run_disappears(parts: Parts, fleet: Fleet) -> None:
    run = await parts.run(p.STARTED, p.COMPLETED)
    client = Client(fleet)
    await client.until_it_sees(run.id, status="completed")

    await parts.engine.delete(run.id)

    await client.until_it_sees(run.id)


async def test_a_run_deleted_while_the_bus_was_out_disappears(parts: Parts, fleet: Fleet) -> None:
    run, other = await parts.run(p.STARTED), await parts.run()
    client = Client(fleet)
    await client.until_it_sees(run.id, status="running")

    await parts.store.append(run.id, [p.COMPLETED])
    await parts.store.delete(run.id)
    await parts.bus.ring("*")

    await client.until_it_sees(run.id)
    assert other.id in client.runs


async def test_only_the_newest_ended_runs_are_kept(parts: Parts, fleet: Fleet) -> None:
    live = await parts.run(p.STARTED)
    ended = [await parts.run(p.STARTED, p.COMPLETED) for _ in range(KEPT_ENDED + 10)]
    last = ended[-1]
    client = Client(fleet)

    await client.until_it_sees(last.id, status="completed")

    fresh = Client(fleet)
    fresh.look()
    assert live.id in fresh.runs
    assert len(fresh.runs) == KEPT_ENDED + 1
    assert set(fresh.runs) - {live.id} == {run.id for run in ended[10:]}


async def test_a_run_that_the_fleet_has_forgotten_is_told_deleted_too(parts: Parts, fleet: Fleet) -> None:
    old = await parts.run(p.STARTED, p.COMPLETED)
    newer = [await parts.run(p.STARTED, p.COMPLETED) for _ in range(KEPT_ENDED + 1)]
    client = Client(fleet)
    await client.until_it_sees(newer[-1].id, status="completed")
    fresh = Client(fleet)
    fresh.look()
    assert old.id not in fresh.runs

    await parts.engine.delete(old.id)
    await client.until_it_sees(old.id)
    watcher = Watcher()
    told: list[bytes] = []
    async with asyncio.timeout(3):
        while not (told := fleet.take(fresh.version)[0]):
            await watcher.wait(fleet)

    assert json.loads(told[-1]) == {"type": "run.deleted", "run_id": old.id, "data": {"id": old.id}}


async def test_a_thousand_live_runs_and_more_are_all_there(parts: Parts) -> None:
    for _ in range(1_100):
        await parts.run()
    fleet = Fleet(parts.store, parts.bus)
    await fleet.open()
    client = Client(fleet)

    client.look()

    await fleet.close()
    assert len(client.runs) == 1_100


async def test_the_fleet_catches_up_after_the_store_was_away() -> None:
    store = BusyStore()
    parts = Parts(store)
    await parts.bus.open()
    fleet = Fleet(store, parts.bus)
    await fleet.open()
    client = Client(fleet)
    run = await parts.run()
    await client.until_it_sees(run.id, status="queued")

    store.is_away = True
    await parts.engine.append(run.id, p.STARTED)
    watching = asyncio.create_task(client.until_it_sees(run.id, status="running"))
    await store.refused.wait()
    store.is_away = False

    await watching
    await fleet.close()
