"""Pauses that end at their time, and holds that are released."""

from __future__ import annotations

import pytest

from pilothouse.engine.control import Wish
from pilothouse.engine.timer import Timer
from pilothouse.errors import Unavailable
from pilothouse.model import event as e
from pilothouse.model.run import Control, Run, Status, Strength
from tests.engine import parts as p
from tests.engine.parts import AwayStore, Clock, Parts

pytestmark = pytest.mark.anyio
NOON = "2026-01-31T12:00:00.000Z"
TEN_PAST = "2026-01-31T12:10:00.000Z"


class Watch:
    """A wall clock that a test sets."""

    def __init__(self) -> None:
        self.time = NOON

    def __call__(self) -> str:
        return self.time


async def paused(parts: Parts, until: str | None = None) -> Run:
    """A run that is held, until then."""
    run = await parts.run(p.STARTED)
    await parts.engine.control(run.id, Wish(Control.PAUSE, "ada", "lunch", until=until))
    return (await parts.engine.append(run.id, e.RunPaused())).run


async def test_a_pause_ends_at_its_time(parts: Parts) -> None:
    clock = Clock()
    timer = Timer(parts.engine, 3600, clock, Watch())
    run = await paused(parts, until=TEN_PAST)

    await timer.look()
    clock.seconds += 599
    await timer.look()
    before = await parts.store.get(run.id)
    clock.seconds += 2
    await timer.look()

    after = await parts.store.get(run.id)
    assert (before.status, before.until, before.reason) == (Status.PAUSED, TEN_PAST, "lunch")
    assert (after.status, after.until, after.reason) == (Status.RUNNING, None, None)


async def test_a_pause_that_follows_another_between_two_looks_has_its_own_end(parts: Parts) -> None:
    clock = Clock()
    timer = Timer(parts.engine, 3600, clock, Watch())
    run = await parts.run()
    await parts.engine.control(run.id, Wish(Control.PAUSE, "ada", until=TEN_PAST))
    await timer.look()

    await parts.engine.control(run.id, Wish(Control.RESUME, "ada"))
    await parts.engine.control(run.id, Wish(Control.PAUSE, "ada", until="2026-01-31T18:00:00.000Z"))
    clock.seconds += 601
    await timer.look()

    assert (await parts.store.get(run.id)).status is Status.PAUSED


async def test_a_wall_clock_that_jumps_ends_no_pause_early(parts: Parts) -> None:
    clock, wall = Clock(), Watch()
    timer = Timer(parts.engine, 3600, clock, wall)
    run = await paused(parts, until=TEN_PAST)
    await timer.look()

    wall.time = "2026-02-01T12:00:00.000Z"
    clock.seconds += 60
    await timer.look()

    assert (await parts.store.get(run.id)).status is Status.PAUSED


async def test_a_pause_whose_time_came_while_no_server_was_there_ends_at_the_start(parts: Parts) -> None:
    run = await paused(parts, until="2026-01-31T11:00:00.000Z")

    await Timer(parts.engine, 3600, Clock(), Watch()).look()

    assert (await parts.store.get(run.id)).status is Status.RUNNING


async def test_a_hold_that_lasts_is_asked_to_release(parts: Parts) -> None:
    clock = Clock()
    timer = Timer(parts.engine, 600, clock, Watch())
    run = await paused(parts)
    await timer.look()

    clock.seconds += 601
    await timer.look()
    asked = await parts.store.get(run.id)
    obeyed = (await parts.engine.append(run.id, e.RunPaused(strength=Strength.RELEASE))).run
    await timer.look()

    assert (asked.status, asked.pending) == (Status.PAUSED, Control.PAUSE)
    assert (obeyed.strength, obeyed.paused_by, obeyed.reason) == (Strength.RELEASE, "ada", "lunch")
    assert (await parts.store.get(run.id)).head == obeyed.head


async def test_a_store_that_is_away_for_a_while_does_not_make_a_hold_longer() -> None:
    clock, store = Clock(), AwayStore()
    parts = Parts(store)
    timer = Timer(parts.engine, 600, clock, Watch())
    run = await paused(parts)
    await timer.look()

    clock.seconds += 599
    store.away.add("list")
    with pytest.raises(Unavailable):
        await timer.look()
    clock.seconds += 2
    await timer.look()

    assert (await parts.store.get(run.id)).pending is Control.PAUSE


async def test_a_second_pause_is_timed_anew(parts: Parts) -> None:
    clock = Clock()
    timer = Timer(parts.engine, 600, clock, Watch())
    run = await paused(parts)
    await timer.look()
    clock.seconds += 500
    await parts.engine.append(run.id, e.RunResumed(actor="ben"))
    await timer.look()

    await parts.engine.append(run.id, p.PAUSE, p.HELD)
    await timer.look()
    clock.seconds += 500
    await timer.look()

    assert (await parts.store.get(run.id)).pending is None


async def test_a_process_that_is_attached_is_never_asked_to_release(parts: Parts) -> None:
    clock = Clock()
    timer = Timer(parts.engine, 600, clock, Watch())
    run = await parts.run(p.PAUSE, p.HELD, process="laptop:1")
    await timer.look()

    clock.seconds += 601
    await timer.look()

    assert (await parts.store.get(run.id)).pending is None
