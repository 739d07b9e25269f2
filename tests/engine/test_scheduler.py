"""Claims: who gets which run, and which attempts a host is told to end."""

from __future__ import annotations

import asyncio

import pytest

from pilothouse.contracts import COOPERATIVE_SECONDS, TERMINATE_SECONDS
from pilothouse.engine import hosts
from pilothouse.engine.hosts import Attempt, Stop
from pilothouse.engine.scheduler import Scheduler
from pilothouse.model import event as e
from pilothouse.model.run import Run, Status
from tests.engine import parts as p
from tests.engine.parts import BusyStore, Parts, settle

pytestmark = pytest.mark.anyio
HANG_SECONDS = 60


async def test_the_urgent_run_goes_first_and_then_the_older_one(parts: Parts) -> None:
    first, second, urgent = [await parts.run(priority=priority) for priority in (0, 0, 5)]

    orders, stops = await parts.scheduler.claim("lab", 3, (), 0)

    assert [run.id for run in orders] == [urgent.id, first.id, second.id]
    assert [(run.status, run.attempt, run.host) for run in orders] == [(Status.RUNNING, 1, "lab")] * 3
    assert stops == []


@pytest.mark.rows("S5.68")
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


async def test_a_stop_is_told_again_early_enough_for_a_cancel_to_end_in_ten_seconds(parts: Parts) -> None:
    run = await parts.run(p.STARTED, p.CANCEL)
    running = (Attempt(run.id, 1),)

    await parts.scheduler.claim("lab", 0, running, 0)
    async with asyncio.timeout(10 - COOPERATIVE_SECONDS - TERMINATE_SECONDS):
        _, stops = await parts.scheduler.claim("lab", 0, running, 25)

    assert stops == [Stop(Attempt(run.id, 1), False)]


async def test_a_stack_that_is_wanted_is_asked_for_until_it_comes(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosts, "DUMP_AGAIN_SECONDS", 0.05)
    run = await parts.run(e.RunStarted(attempt=1, host="lab"))
    running = (Attempt(run.id, 1),)
    scheduler = Scheduler(parts.engine, tell_again_seconds=0.05)
    await scheduler.claim("lab", 0, running, 0)
    scheduler.ask_stack(run)

    lost, early = scheduler.take_dumps("lab"), scheduler.take_dumps("lab")
    async with asyncio.timeout(2):
        await scheduler.claim("lab", 0, running, 25)
    again = scheduler.take_dumps("lab")
    await scheduler.take_stack("lab", Attempt(run.id, 1), "File a.py, line 1")
    await scheduler.claim("lab", 0, running, 0.1)

    assert (lost, early, again) == ([run.id], [], [run.id])
    assert scheduler.take_dumps("lab") == []


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


async def test_what_a_host_lost_of_another_servers_orders_is_found_after_a_lease(parts: Parts) -> None:
    scheduler = Scheduler(parts.engine, lease_seconds=0.05)
    await scheduler.claim("lab", 1, (), 0)
    run = await parts.run()
    await Scheduler(parts.engine).claim("lab", 1, (), 0)  # its answer never came

    orders: list[Run] = []
    async with asyncio.timeout(HANG_SECONDS):
        while not orders:
            orders, _ = await scheduler.claim("lab", 1, (), 0)

    assert [(order.id, order.attempt) for order in orders] == [(run.id, 2)]


async def test_a_claim_looks_at_all_runs_of_its_host_now_and_then_only(parts: Parts) -> None:
    (run,) = [await parts.run()]
    await parts.scheduler.claim("lab", 1, (), 0)
    looks = 0
    listed = parts.store.list

    async def counting(query: object) -> object:
        nonlocal looks
        looks += 1
        return await listed(query)  # type: ignore[arg-type]

    parts.store.list = counting  # type: ignore[method-assign,assignment]
    for _ in range(5):
        await parts.scheduler.claim("lab", 1, (Attempt(run.id, 1),), 0)

    assert looks == 0


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


async def test_hosts_of_one_name_leave_each_others_runs_alone(parts: Parts) -> None:
    ids = {(await parts.run()).id, (await parts.run()).id}
    claim = parts.scheduler.claim

    (one,), _ = await claim("lab", 1, (), 0, instance="a")
    (two,), _ = await claim("lab", 1, (), 0, instance="b")  # the first has not said yet that it has its run
    first, second = (Attempt(run.id, 1) for run in (one, two))
    for _ in range(2):
        await claim("lab", 0, (first,), 0, instance="a")
        await claim("lab", 0, (second,), 0, instance="b")

    assert {one.id, two.id} == ids
    assert [(await parts.store.get(run.id)).attempt for run in (one, two)] == [1, 1]
    assert [(await parts.store.get(run.id)).status for run in (one, two)] == [Status.RUNNING] * 2
    hosts_of = [parts.scheduler.hosts.of(run) for run in (one, two)]
    assert [host and host.instance for host in hosts_of] == ["a", "b"]


async def test_a_server_that_restarts_leaves_each_host_of_a_name_its_own_runs(parts: Parts) -> None:
    ids = [(await parts.run()).id, (await parts.run()).id]
    await parts.scheduler.claim("lab", 1, (), 0, instance="a")
    await parts.scheduler.claim("lab", 1, (), 0, instance="b")
    restarted = Scheduler(parts.engine)

    orders, _ = await restarted.claim("lab", 1, (Attempt(ids[0], 1),), 0, instance="a")
    _, stops = await restarted.claim("lab", 0, (Attempt(ids[1], 1),), 0, instance="b")

    assert (orders, stops) == ([], [])  # the second run lives on a host that had not called yet
    assert [(await parts.store.get(run_id)).attempt for run_id in ids] == [1, 1]


async def test_a_host_that_restarts_with_its_server_settles_what_it_lost(parts: Parts) -> None:
    run = await parts.run()
    await parts.scheduler.claim("lab", 1, (), 0, instance="a")

    orders, _ = await Scheduler(parts.engine).claim("lab", 1, (), 0, instance="a")

    assert [(order.id, order.attempt) for order in orders] == [(run.id, 2)]


@pytest.mark.parametrize("how", ["it said goodbye", "it went silent"])
async def test_a_host_takes_the_place_of_one_of_its_name_that_is_gone(parts: Parts, how: str) -> None:
    run = await parts.run()
    await parts.scheduler.claim("lab", 1, (), 0, instance="a")
    if how == "it said goodbye":
        parts.scheduler.leave("lab", "a")
    else:
        parts.scheduler.hosts.meet("lab", "a").seen -= hosts.SILENT_SECONDS + 1

    orders, _ = await parts.scheduler.claim("lab", 1, (), 0, instance="b")

    assert [(order.id, order.attempt) for order in orders] == [(run.id, 2)]
    assert [host.instance for host in parts.scheduler.hosts] == ["b"]


async def test_hosts_that_are_gone_for_long_are_forgotten_when_another_one_comes(parts: Parts) -> None:
    for number in range(3):
        await parts.scheduler.claim(f"spot-{number}", 0, (), 0)
    for number in range(2):
        parts.scheduler.hosts.meet(f"spot-{number}").seen -= hosts.FORGOTTEN_SECONDS + 1

    await parts.scheduler.claim("spot-3", 0, (), 0)

    assert [host.name for host in parts.scheduler.hosts] == ["spot-2", "spot-3"]


async def test_the_goodbye_of_a_host_does_not_excuse_a_crash_on_another_of_its_name(parts: Parts) -> None:
    await parts.run()
    (run,), _ = await parts.scheduler.claim("lab", 1, (), 0, instance="a")
    parts.scheduler.leave("lab", "b")

    after = await parts.scheduler.ended(
        "lab", Attempt(run.id, 1), exit_code=None, signal=9, tail="", instance="a"
    )

    assert after.crashes == 1
