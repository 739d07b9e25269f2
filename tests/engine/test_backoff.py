"""How long a crashed run waits for its next attempt."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pilothouse.engine.afterlife import Ending, afterlife
from pilothouse.engine.backoff import Backoff
from pilothouse.engine.engine import Engine
from pilothouse.engine.hosts import Attempt
from pilothouse.engine.scheduler import Scheduler
from pilothouse.model import event as e
from tests.engine import parts as p
from tests.engine.parts import Clock, Parts

pytestmark = pytest.mark.anyio
WAITING = e.RunInterrupted(reason="signal 9", wait_seconds=4.0)


async def test_a_run_that_waits_is_ready_when_its_time_is_over(parts: Parts) -> None:
    clock = Clock()
    backoff = Backoff(clock)
    waiting, fresh = await parts.run(p.STARTED, WAITING), await parts.run()

    first = backoff.ready([waiting, fresh])
    clock.seconds += 3
    second = backoff.ready([waiting, fresh])
    clock.seconds += 1.5
    third = backoff.ready([waiting, fresh])

    assert first == ([fresh], 4.0)
    assert second == ([fresh], 1.0)
    assert third == ([waiting, fresh], None)


@pytest.mark.parametrize(
    ("crashes", "seconds"), [(0, 0.5), (1, 1.0), (2, 2.0), (6, 32.0), (7, 60.0), (5000, 60.0)]
)
async def test_the_wait_doubles_with_each_crash_up_to_a_minute(
    parts: Parts, crashes: int, seconds: float
) -> None:
    run = replace(await parts.run(p.STARTED), crashes=crashes)

    (body,) = afterlife(run, Ending("signal 9"), max_attempts=10_000, backoff_seconds=0.5)

    assert isinstance(body, e.RunInterrupted)
    assert body.wait_seconds == seconds


async def test_a_run_whose_host_was_stopped_does_not_wait(parts: Parts) -> None:
    run = await parts.run(p.STARTED)

    (body,) = afterlife(run, Ending("the host was stopped", is_crash=False), 3, backoff_seconds=0.5)

    assert isinstance(body, e.RunInterrupted)
    assert (body.wait_seconds, body.crash) == (0.0, False)


async def test_a_host_that_waits_gets_the_run_as_soon_as_its_time_is_over(parts: Parts) -> None:
    patient = replace(p.KIND, backoff_seconds=0.2)
    scheduler = Scheduler(Engine(parts.store, parts.bus, {patient.name: patient}))
    run = await parts.run(p.STARTED)
    await scheduler.ended("lab", Attempt(run.id, 1), exit_code=None, signal=9, tail="")

    now, _ = await scheduler.claim("lab", 1, (), 0)
    later, _ = await asyncio.wait_for(scheduler.claim("lab", 1, (), 20), 10)

    assert now == []
    assert [(order.id, order.attempt) for order in later] == [(run.id, 2)]


async def test_an_interruption_names_what_was_in_hand(parts: Parts) -> None:
    run = await parts.run(p.STARTED, e.ItemStarted(key="a"), e.ItemStarted(key="b"))
    await parts.engine.append(run.id, e.ItemFinished(key="a", seconds=1))

    after = await parts.scheduler.ended("lab", Attempt(run.id, 1), exit_code=None, signal=9, tail="")

    (frame,) = await parts.store.read(run.id, after.head - 1)
    assert b'"in_flight":["b"]' in frame.data


async def test_a_run_that_its_own_process_executes_is_left_to_it(parts: Parts) -> None:
    await parts.run(process="laptop:1")

    orders, _ = await parts.scheduler.claim("lab", 1, (), 0)

    assert orders == []


async def test_a_run_whose_own_process_died_fails_and_says_how_to_go_on(parts: Parts) -> None:
    run = await parts.run(process="laptop:1")

    after = await parts.scheduler.lose(run, Ending("the job stopped answering", is_confirmed=False))

    assert after.failure is not None
    assert after.failure.reason == "worker_lost"
    assert "ph.run" in (after.failure.hint or "")
