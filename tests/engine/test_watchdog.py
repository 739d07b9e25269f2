"""Runs that are alive and do not move."""

from __future__ import annotations

import pytest

from pilothouse.engine.watchdog import Policy, Watchdog, words_for
from pilothouse.model import event as e
from pilothouse.model.run import Control, Run
from tests.engine import parts as p
from tests.engine.parts import Clock, Parts

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
