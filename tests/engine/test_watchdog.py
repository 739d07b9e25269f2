"""Runs that are alive and do not move."""

from __future__ import annotations

import pytest

from pilothouse.engine.watchdog import Policy, Watchdog, words_for
from pilothouse.errors import Unavailable
from pilothouse.model import event as e
from pilothouse.model.run import Control, Run
from tests.engine import parts as p
from tests.engine.parts import AwayStore, Clock, Parts

pytestmark = pytest.mark.anyio
LIMIT = p.KIND.stuck_seconds
MOVES: list[e.Body] = [
    e.ItemStarted(key="a"),
    e.ItemFinished(key="a", seconds=1),
    e.Metric(step=1, values={"loss": 0.5}),
    e.PhaseStarted(name="Count"),
    e.ProgressTold(done=3),
]


def watchdog(parts: Parts, clock: Clock, policy: Policy = "warn") -> Watchdog:
    """A watchdog that knows the process to be idle."""
    return Watchdog(parts.engine, lambda run: "idle", policy=policy, monotonic=clock)


async def types(parts: Parts, run: Run) -> list[str]:
    """What the log says of being stuck."""
    frames = await parts.store.read(run.id, 0)
    return [frame.type for frame in frames if frame.type in ("run.stuck", "run.recovered")]


@pytest.mark.rows("S2.95")
async def test_a_run_that_stands_for_too_long_is_stuck_once(parts: Parts) -> None:
    clock = Clock()
    dog = watchdog(parts, clock)
    run = await parts.run(p.STARTED)
    await dog.look()

    clock.seconds += LIMIT - 1
    await dog.look()
    early = await types(parts, run)
    for _ in range(3):
        clock.seconds += 2
        await dog.look()

    after = await parts.store.get(run.id)
    assert early == []
    assert await types(parts, run) == ["run.stuck"]
    assert (after.stuck, after.stuck_cause) == (True, "idle")
    assert dog.stuck(after).seconds == LIMIT + 5


@pytest.mark.parametrize("move", MOVES, ids=lambda move: move.type)
async def test_a_stuck_run_that_moves_has_recovered(parts: Parts, move: e.Body) -> None:
    clock = Clock()
    dog = watchdog(parts, clock)
    run = await parts.run(p.STARTED)
    await dog.look()
    clock.seconds += LIMIT
    await dog.look()

    await parts.engine.append(run.id, move)
    await dog.look()

    after = await parts.store.get(run.id)
    assert await types(parts, run) == ["run.stuck", "run.recovered"]
    assert (after.stuck, after.stuck_cause) == (False, None)


async def test_a_store_that_is_away_for_a_while_makes_no_run_move() -> None:
    clock, store = Clock(), AwayStore()
    parts = Parts(store)
    dog = watchdog(parts, clock)
    run = await parts.run(p.STARTED)
    await dog.look()

    clock.seconds += LIMIT - 1
    store.away.add("list")
    with pytest.raises(Unavailable):
        await dog.look()
    clock.seconds += 2
    await dog.look()

    assert await types(parts, run) == ["run.stuck"]


async def test_what_a_job_uses_of_its_machine_is_no_movement(parts: Parts) -> None:
    clock = Clock()
    dog = watchdog(parts, clock)
    run = await parts.run(p.STARTED)
    await dog.look()

    clock.seconds += LIMIT
    await parts.engine.append(run.id, e.Metric(step=5, values={"system/cpu_percent": 99.0}))
    await dog.look()
    await parts.engine.append(run.id, e.Metric(step=6, values={"system/cpu_percent": 99.0}))
    await dog.look()
    stuck = await types(parts, run)
    await parts.engine.append(run.id, e.Metric(step=6, values={"system/cpu_percent": 99.0, "loss": 0.5}))
    await dog.look()

    assert stuck == ["run.stuck"]
    assert await types(parts, run) == ["run.stuck", "run.recovered"]


async def test_console_lines_and_notes_are_no_movement(parts: Parts) -> None:
    clock = Clock()
    dog = watchdog(parts, clock)
    run = await parts.run(p.STARTED)
    await dog.look()

    clock.seconds += LIMIT
    await parts.engine.append(run.id, e.Log(text="still here"), e.Note(feed="planned", text="soon"))
    await dog.look()

    assert await types(parts, run) == ["run.stuck"]


async def test_two_servers_tell_it_once(parts: Parts) -> None:
    clock = Clock()
    dogs = watchdog(parts, clock), watchdog(parts, clock)
    run = await parts.run(p.STARTED)
    for dog in dogs:
        await dog.look()

    clock.seconds += LIMIT
    for dog in dogs:
        await dog.look()

    assert await types(parts, run) == ["run.stuck"]


async def test_a_param_of_the_run_outranks_the_limit_of_its_kind(parts: Parts) -> None:
    assert p.KIND.stuck_after({"stuck_seconds": 7}) == 7
    assert p.KIND.stuck_after({"stuck_seconds": None}) == LIMIT


@pytest.mark.parametrize("bad", ["soon", [1], {}, -5, float("nan"), 10**400])
async def test_a_limit_that_is_no_number_of_seconds_leaves_the_kinds_and_harms_no_other_run(
    parts: Parts, bad: object
) -> None:
    clock = Clock()
    dog = watchdog(parts, clock)
    runs = [await parts.run(p.STARTED, params={"stuck_seconds": each}) for each in (bad, None)]
    await dog.look()

    clock.seconds += LIMIT
    await dog.look()

    assert [(await parts.store.get(run.id)).stuck for run in runs] == [True, True]


@pytest.mark.parametrize("policy", ["pause", "cancel"])
async def test_a_policy_may_steer_what_is_stuck(parts: Parts, policy: Policy) -> None:
    clock = Clock()
    dog = watchdog(parts, clock, policy)
    run = await parts.run(p.STARTED)
    await dog.look()

    clock.seconds += LIMIT
    await dog.look()

    after = await parts.store.get(run.id)
    assert after.pending is Control(policy)
    assert after.request is not None
    assert after.request.actor == "watchdog"


@pytest.mark.parametrize("policy", ["pause", "cancel"])
async def test_a_policy_is_kept_though_the_store_is_away_when_it_steers(policy: Policy) -> None:
    clock, store = Clock(), AwayStore()
    parts = Parts(store)
    dog = watchdog(parts, clock, policy)
    run = await parts.run(p.STARTED)
    await dog.look()

    clock.seconds += LIMIT
    store.away.add("control.requested")
    await dog.look()
    clock.seconds += 1
    await dog.look()

    after = await parts.store.get(run.id)
    assert await types(parts, run) == ["run.stuck"]
    assert after.pending is Control(policy)


async def test_a_stuck_run_that_is_being_cancelled_is_said_to_be_stuck_and_not_paused(parts: Parts) -> None:
    clock = Clock()
    dog = watchdog(parts, clock, "pause")
    run = await parts.run(p.STARTED, p.CANCEL)
    await dog.look()

    clock.seconds += LIMIT
    await dog.look()

    after = await parts.store.get(run.id)
    assert (after.stuck, after.pending) == (True, Control.CANCEL)


@pytest.mark.parametrize(
    ("cpu", "silent", "words"),
    [
        (None, None, "the process is alive"),
        (0.0, None, "the process is alive and idle (0% of a core)"),
        (0.98, None, "the process is alive and busy (98% of a core)"),
        (0.98, 61.2, "its host has not been heard of for 61 s"),
    ],
)
def test_the_cause_is_said_in_words(cpu: float | None, silent: float | None, words: str) -> None:
    assert words_for(cpu, silent) == words
