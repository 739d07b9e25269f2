"""Claims: who gets which run, and which attempts a host is told to end."""

from __future__ import annotations

import asyncio

import pytest

from pilothouse.engine.hosts import Attempt, Stop
from pilothouse.engine.scheduler import Scheduler
from pilothouse.model import event as e
from pilothouse.model.run import Status
from tests.engine import parts as p
from tests.engine.parts import BusyStore, Parts, settle

pytestmark = pytest.mark.anyio


async def test_the_urgent_run_goes_first_and_then_the_older_one(parts: Parts) -> None:
    first, second, urgent = [await parts.run(priority=priority) for priority in (0, 0, 5)]

    orders, stops = await parts.scheduler.claim("lab", 3, (), 0)

    assert [run.id for run in orders] == [urgent.id, first.id, second.id]
    assert [(run.status, run.attempt, run.host) for run in orders] == [(Status.RUNNING, 1, "lab")] * 3
    assert stops == []


async def test_a_host_gets_no_more_than_it_has_room_for(parts: Parts) -> None:
    first, second = await parts.run(), await parts.run()

    none, _ = await parts.scheduler.claim("lab", 0, (), 0)
    one, _ = await parts.scheduler.claim("lab", 1, (), 0)

    assert none == []
    assert [run.id for run in one] == [first.id]
    assert (await parts.store.get(second.id)).status is Status.QUEUED


async def test_the_oldest_of_many_runs_that_wait_goes_first(parts: Parts) -> None:
    waiting = [(await parts.run()).id for _ in range(450)]

    orders, _ = await parts.scheduler.claim("lab", 2, (), 0)

    assert [run.id for run in orders] == waiting[:2]


async def test_a_run_of_a_kind_that_is_gone_is_left_alone(parts: Parts) -> None:
    await parts.run(kind="gone")

    assert await parts.scheduler.claim("lab", 1, (), 0) == ([], [])


async def test_of_two_hosts_each_run_goes_to_one(parts: Parts) -> None:
    ids = {(await parts.run()).id for _ in range(6)}
    other = Scheduler(parts.engine)

    (one, _), (two, _) = await asyncio.gather(
        parts.scheduler.claim("a", 4, (), 0), other.claim("b", 4, (), 0)
    )

    assert {run.id for run in one} | {run.id for run in two} == ids
    assert len(one) + len(two) == 6


async def test_a_host_that_comes_second_gets_nothing() -> None:
    parts = Parts(BusyStore())
    run = await parts.run()
    assert isinstance(parts.store, BusyStore)
    parts.store.others = [e.RunStarted(attempt=1, host="faster")]

    orders, _ = await parts.scheduler.claim("slower", 1, (), 0)

    assert orders == []
    assert (await parts.store.get(run.id)).host == "faster"


async def test_a_claim_that_waits_is_answered_at_a_submit(parts: Parts) -> None:
    waiting = asyncio.create_task(parts.scheduler.claim("lab", 1, (), 25))
    await settle()

    run = await parts.run()

    async with asyncio.timeout(1):
        orders, _ = await waiting
    assert [order.id for order in orders] == [run.id]


async def test_a_claim_that_waits_in_vain_is_answered_with_nothing(parts: Parts) -> None:
    assert await parts.scheduler.claim("lab", 1, (), 0.01) == ([], [])


async def test_a_claim_is_answered_when_the_server_stops(parts: Parts) -> None:
    waiting = asyncio.create_task(parts.scheduler.claim("lab", 1, (), 25))
    await settle()

    parts.engine.doorbell.close()

    async with asyncio.timeout(1):
        assert await waiting == ([], [])


async def test_a_busy_log_does_not_make_a_waiting_claim_look_at_every_ring(parts: Parts) -> None:
    waiting = asyncio.create_task(parts.scheduler.claim("lab", 1, (), 25))
    run = await parts.run(p.STARTED, kind="other")
    looks = 0
    listed = parts.store.list

    async def counting(query: object) -> object:
        nonlocal looks
        looks += 1
        return await listed(query)  # type: ignore[arg-type]

    parts.store.list = counting  # type: ignore[method-assign,assignment]
    for number in range(200):
        await parts.engine.append(run.id, e.Note(feed="metrics", text=str(number)))
        await settle(3)
    wanted = await parts.run()

    async with asyncio.timeout(1):
        orders, _ = await waiting
    assert [order.id for order in orders] == [wanted.id]
    assert looks < 50


CASES: dict[str, tuple[list[e.Body], int, bool | None]] = {
    # what happened to the run, the attempt that lives on the host: told to end it (by force), or not
    "running": ([p.STARTED], 1, None),
    "pausing": ([p.STARTED, p.PAUSE], 1, None),
    "held": ([p.STARTED, p.PAUSE, p.HELD], 1, None),
    "cancelling": ([p.STARTED, p.CANCEL], 1, False),
    "cancelling by force": ([p.STARTED, p.FORCE], 1, True),
    "completed": ([p.STARTED, p.COMPLETED], 1, False),
    "overtaken": ([p.STARTED, p.INTERRUPTED, p.AGAIN], 1, True),
}


@pytest.mark.parametrize("name", CASES)
async def test_a_host_is_told_once_which_attempts_to_end(parts: Parts, name: str) -> None:
    bodies, number, force = CASES[name]
    run = await parts.run(*bodies)
    running = (Attempt(run.id, number),)

    _, stops = await parts.scheduler.claim("lab", 0, running, 0)
    _, again = await parts.scheduler.claim("lab", 0, running, 0)

    assert stops == ([] if force is None else [Stop(Attempt(run.id, 1), force)])
    assert again == []


async def test_an_attempt_of_a_deleted_run_is_ended_by_force(parts: Parts) -> None:
    _, stops = await parts.scheduler.claim("lab", 0, (Attempt("bench_gone", 1),), 0)

    assert stops == [Stop(Attempt("bench_gone", 1), True)]


async def test_a_gentle_stop_is_followed_by_a_forced_one_when_somebody_asks(parts: Parts) -> None:
    run = await parts.run(p.STARTED, p.CANCEL)
    running = (Attempt(run.id, 1),)
    await parts.scheduler.claim("lab", 0, running, 0)

    await parts.engine.append(run.id, p.FORCE)
    _, stops = await parts.scheduler.claim("lab", 0, running, 0)

    assert stops == [Stop(Attempt(run.id, 1), True)]


async def test_a_stop_whose_answer_got_lost_is_told_again(parts: Parts) -> None:
    run = await parts.run(p.STARTED, p.CANCEL)
    running = (Attempt(run.id, 1),)
    scheduler = Scheduler(parts.engine, tell_again_seconds=0.05)

    await scheduler.claim("lab", 0, running, 0)
    async with asyncio.timeout(2):
        _, stops = await scheduler.claim("lab", 0, running, 25)

    assert stops == [Stop(Attempt(run.id, 1), False)]


async def test_a_waiting_claim_tells_of_a_cancel_at_once(parts: Parts) -> None:
    run = await parts.run(p.STARTED)
    waiting = asyncio.create_task(parts.scheduler.claim("lab", 0, (Attempt(run.id, 1),), 25))
    await settle()

    await parts.engine.append(run.id, p.FORCE)

    async with asyncio.timeout(1):
        assert await waiting == ([], [Stop(Attempt(run.id, 1), True)])


async def test_an_attempt_that_a_restarted_host_does_not_know_is_settled(parts: Parts) -> None:
    run = await parts.run()
    await parts.scheduler.claim("lab", 1, (), 0)

    orders, _ = await parts.scheduler.claim("lab", 1, (), 0)

    assert [(order.id, order.attempt) for order in orders] == [(run.id, 2)]
    assert [frame.type for frame in await parts.store.read(run.id, 2)] == ["run.interrupted", "run.started"]


async def test_an_attempt_of_another_host_is_left_alone(parts: Parts) -> None:
    run = await parts.run()
    await parts.scheduler.claim("lab", 1, (), 0)

    await parts.scheduler.claim("other", 1, (), 0)

    assert (await parts.store.get(run.id)).attempt == 1


async def test_only_the_newest_call_of_a_host_takes_runs(parts: Parts) -> None:
    dead = asyncio.create_task(parts.scheduler.claim("lab", 1, (), 25))
    await settle()
    alive = asyncio.create_task(parts.scheduler.claim("lab", 1, (), 25))
    await settle()

    run = await parts.run()

    async with asyncio.timeout(1):
        assert await dead == ([], [])
        orders, _ = await alive
    assert [order.id for order in orders] == [run.id]
