"""Watchers, the sources that wake them, and the doorbell that wakes the sources."""

from __future__ import annotations

import asyncio

import pytest

from pilothouse.engine.doorbell import Doorbell
from pilothouse.engine.watcher import Source, Watcher
from tests.engine.parts import Parts, settle

pytestmark = pytest.mark.anyio


async def asleep(source: Source) -> tuple[Watcher, asyncio.Task[None]]:
    """A watcher that sleeps on a source."""
    watcher = Watcher()
    task = asyncio.create_task(watcher.wait(source))
    await settle(2)
    return watcher, task


async def test_news_wake_everybody_once() -> None:
    source = Source()
    tasks = [(await asleep(source))[1] for _ in range(100)]

    await source.wake_all()

    async with asyncio.timeout(1):
        await asyncio.gather(*tasks)
    assert source.sleeping == {}


async def test_many_watchers_are_woken_in_turns_that_leave_the_loop_to_others() -> None:
    source = Source()
    tasks = [(await asleep(source))[1] for _ in range(300)]
    turns = 0

    async def another() -> None:
        nonlocal turns
        while not all(task.done() for task in tasks):
            turns += 1
            await asyncio.sleep(0)

    async with asyncio.timeout(2):
        await asyncio.gather(source.wake_all(), another())

    assert turns > 5


async def test_who_sleeps_on_two_sources_is_woken_by_either() -> None:
    one, two = Source(), Source()
    watcher = Watcher()
    for source in (one, two):
        task = asyncio.create_task(watcher.wait(one, two))
        await settle(2)

        await source.wake_all()

        async with asyncio.timeout(1):
            await task
    assert not watcher.gone


async def test_a_wake_before_the_sleep_is_no_error() -> None:
    watcher = Watcher()

    watcher.wake()
    watcher.wake()

    assert not watcher.gone


async def test_who_has_left_does_not_fall_asleep() -> None:
    source, watcher = Source(), Watcher()
    watcher.leave()

    async with asyncio.timeout(1):
        await watcher.wait(source)

    assert source.sleeping == {}


async def test_nobody_falls_asleep_on_a_source_that_is_closed() -> None:
    source = Source()
    watcher, task = await asleep(source)

    source.dismiss()

    late = Watcher()
    async with asyncio.timeout(1):
        await task
        await late.wait(source)
    assert watcher.gone
    assert late.gone


async def test_a_heartbeat_wakes_the_sleeping_and_says_so() -> None:
    source = Source()
    watcher, task = await asleep(source)

    source.beat()

    async with asyncio.timeout(1):
        await task
    assert watcher.beat
    assert not watcher.gone


async def test_who_is_forgotten_is_not_woken() -> None:
    source = Source()
    watcher, task = await asleep(source)

    source.forget(watcher)
    await source.wake_all()

    assert not task.done()
    watcher.leave()
    await task


async def test_a_ring_reaches_those_who_listen_for_the_run_and_for_any(parts: Parts) -> None:
    bell = Doorbell(parts.bus)

    with bell.listen("a") as a, bell.listen("b") as b, bell.listen() as every:
        await parts.bus.ring("a")
        heard = (a.is_set(), b.is_set(), every.is_set())

    assert heard == (True, False, True)


async def test_a_ring_for_all_reaches_everybody(parts: Parts) -> None:
    bell = Doorbell(parts.bus)

    with bell.listen("a") as a, bell.listen("a") as twin, bell.listen() as every:
        await parts.bus.ring("*")
        heard = (a.is_set(), twin.is_set(), every.is_set())

    assert heard == (True, True, True)


async def test_a_closed_doorbell_wakes_everybody_once_more_and_hears_nothing(parts: Parts) -> None:
    bell = Doorbell(parts.bus)

    with bell.listen("a") as ear:
        bell.close()
        woken = ear.is_set()
        ear.clear()
        await parts.bus.ring("a")
        heard = ear.is_set()

    assert woken
    assert bell.closed
    assert not heard
