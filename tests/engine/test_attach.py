"""Runs that are made and begun by the process that executes them."""

from __future__ import annotations

import pytest

from pilothouse import clock
from pilothouse.engine.attach import attach, tell_overdue
from pilothouse.errors import LeaseLost
from pilothouse.model.run import Status
from pilothouse.stores.memory import MemoryStore
from pilothouse.testing.samples import a_run
from tests.engine import parts as p
from tests.engine.parts import Clock, Parts

pytestmark = pytest.mark.anyio


async def test_a_script_that_dies_before_it_hears_of_its_run_leaves_none_that_waits_for_ever() -> None:
    times = Clock()
    parts = Parts(MemoryStore(times))
    new = a_run(process="laptop:1")

    await parts.engine.submit(new)  # and the answer is lost, with whoever was to hear it
    times.seconds += 3600
    (settled,) = await parts.scheduler.reap()

    assert (settled.id, settled.status) == (new.id, Status.FAILED)


async def test_a_process_has_its_run_until_it_has_ended(parts: Parts) -> None:
    new = a_run(process="laptop:1", idempotency_key="mine")

    first, again = await attach(parts.engine, new), await attach(parts.engine, new)
    with pytest.raises(LeaseLost):
        await attach(parts.engine, a_run(process="laptop:2", idempotency_key="mine"))

    assert (first.host, first.attempt) == ("laptop:1", 1)
    assert again == first


async def test_a_script_that_does_not_obey_a_cancel_is_told_as_overdue_once(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    stubborn = await parts.run(p.CANCEL, process="laptop:1")
    others = [
        await parts.run(process="laptop:2"),
        await parts.run(p.CANCELLED, process="laptop:3"),
        await parts.run(p.STARTED, p.CANCEL),
    ]
    heads = [run.head for run in others]

    await tell_overdue(parts.engine)
    early = await parts.store.get(stubborn.id)
    monkeypatch.setattr(clock, "now", lambda: "2999-01-01T00:00:00.000Z")
    for _ in range(2):
        await tell_overdue(parts.engine)

    frames = await parts.store.read(stubborn.id, early.head)
    assert (early.survivors, (await parts.store.get(stubborn.id)).survivors) == (None, 1)
    assert [frame.type for frame in frames] == ["run.cancel_overdue", "log"]
    assert b"laptop:1" in frames[1].data
    assert [(await parts.store.get(run.id)).head for run in others] == heads
