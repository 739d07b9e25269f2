"""Retry: a new run that reuses what an old one finished."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pilothouse.engine.preview import Only, Preview, of_resume, of_retry
from pilothouse.engine.retry import renewed
from pilothouse.errors import Invalid, InvalidControl
from pilothouse.model import event as e
from pilothouse.model.run import Run, Strength
from pilothouse.testing.samples import an_item
from tests.engine import parts as p
from tests.engine.parts import Parts

pytestmark = pytest.mark.anyio

ITEMS = [an_item("a", data={"x": 1}), an_item("b", ok=False, error="broke"), an_item("c")]
TOTAL = e.ProgressTold(total=5)
CASES: dict[Only, tuple[Preview, list[str]]] = {
    "failed": (Preview(2, 1, 2), ["a", "c"]),
    "remaining": (Preview(3, 0, 2), ["a", "b", "c"]),
    "all": (Preview(0, 1, 4), []),
}


async def retry(parts: Parts, old: Run, only: Only, name: str | None = None) -> Run:
    """The run that somebody else makes of an old one."""
    new, _ = await parts.engine.submit(await renewed(parts.engine, old, only, "ben", name=name))
    return new


@pytest.mark.parametrize("only", CASES)
async def test_a_retry_keeps_what_its_preview_says(parts: Parts, only: Only) -> None:
    old = await parts.run(p.STARTED, TOTAL, *ITEMS, p.FAILED, name="old", tags=("t",), priority=3)
    expected, keys = CASES[only]

    counted = await of_retry(parts.engine, old, only)
    new = await retry(parts, old, only)

    frames = [json.loads(frame.data) for frame in await parts.store.read(new.id, 1)]
    assert counted == expected
    assert [event["data"]["key"] for event in frames] == keys
    assert all(event["data"]["reused"] for event in frames)
    assert (new.name, new.owner, new.tags, new.priority) == ("old", "ben", ("t",), 3)
    assert new.retry_of == old.id
    assert new.params == old.params


async def test_a_reused_failure_stays_a_failure_with_its_words(parts: Parts) -> None:
    old = await parts.run(p.STARTED, *ITEMS, p.FAILED)

    new = await retry(parts, old, "remaining", name="again")

    assert new.name == "again"
    assert (new.progress.done, new.progress.failed, new.progress.reused) == (3, 1, 3)


async def test_without_a_total_nobody_knows_what_is_left(parts: Parts) -> None:
    old = await parts.run(p.STARTED, *ITEMS, p.FAILED)

    assert (await of_retry(parts.engine, old, "failed")).left is None


async def test_a_live_run_is_not_retried(parts: Parts) -> None:
    run = await parts.run(p.STARTED)

    with pytest.raises(InvalidControl, match="has not ended") as refusal:
        await retry(parts, run, "all")

    assert refusal.value.details["allowed"] == ["cancel"]


async def test_a_retry_of_thousands_of_items_keeps_their_order(parts: Parts) -> None:
    old = await parts.run(p.STARTED)
    for start in range(0, 2500, 500):
        await parts.engine.append(old.id, *(an_item(f"k{n}") for n in range(start, start + 500)))
    over = (await parts.engine.append(old.id, p.FAILED)).run

    new = await retry(parts, over, "failed")

    frames = await parts.store.read(new.id, 1, 10_000)
    assert [json.loads(frame.data)["data"]["key"] for frame in frames] == [f"k{n}" for n in range(2500)]


# Kinds whose items are stretches of units


STRETCHES = [an_item(f"step-{end}", data={"step": end}) for end in (10, 20, 30)]
AT_35 = (e.ProgressTold(total=100), *STRETCHES, e.ProgressTold(done=35))


@pytest.fixture
async def steps(parts: Parts) -> Parts:
    """An engine whose kind trains in steps."""
    parts.engine.kinds = {"benchmark": replace(p.KIND, ends_at="step")}
    return parts


async def test_a_preview_counts_units_and_not_the_stretches_that_were_saved(steps: Parts) -> None:
    crashed = await steps.run(p.STARTED, *AT_35, e.RunInterrupted(reason="gone"))
    paused = await steps.run(p.STARTED, *AT_35, p.PAUSE, e.RunPaused(strength=Strength.HOLD))
    ended = await steps.run(p.STARTED, *AT_35, p.FAILED)

    assert await of_resume(steps.engine, crashed) == Preview(30, 5, 65, total=100)
    assert await of_resume(steps.engine, paused) == Preview(35, 0, 65, total=100)
    assert await of_retry(steps.engine, ended, "remaining") == Preview(30, 0, 70, total=100)
    assert await of_retry(steps.engine, ended, "all") == Preview(0, 0, 100, total=100)


@pytest.mark.parametrize("until", ["step-20", "20"])
async def test_a_retry_goes_on_behind_a_chosen_stretch(steps: Parts, until: str) -> None:
    old = await steps.run(p.STARTED, *AT_35, p.FAILED)

    counted = await of_retry(steps.engine, old, "remaining", until)
    new, _ = await steps.engine.submit(await renewed(steps.engine, old, "remaining", "ben", until=until))

    frames = [json.loads(frame.data) for frame in await steps.store.read(new.id, 1)]
    assert counted == Preview(20, 0, 80, total=100)
    assert [event["data"]["key"] for event in frames] == ["step-10", "step-20"]


async def test_a_stretch_that_is_not_there_is_refused_by_name(steps: Parts, parts: Parts) -> None:
    old = await steps.run(p.STARTED, *AT_35, p.FAILED)

    with pytest.raises(Invalid, match="has finished no item '25'"):
        await renewed(steps.engine, old, "remaining", "ben", until="25")
    parts.engine.kinds = {"benchmark": p.KIND}
    with pytest.raises(Invalid, match="no order to go on in"):
        await of_retry(parts.engine, old, "remaining", "step-20")
