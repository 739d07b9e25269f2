"""Retry: a new run that reuses what an old one finished."""

from __future__ import annotations

import json

import pytest

from pilothouse.engine.preview import Only, Preview, of_retry
from pilothouse.engine.retry import retry
from pilothouse.errors import InvalidControl
from pilothouse.model import event as e
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


@pytest.mark.parametrize("only", CASES)
async def test_a_retry_keeps_what_its_preview_says(parts: Parts, only: Only) -> None:
    old = await parts.run(p.STARTED, TOTAL, *ITEMS, p.FAILED, name="old", tags=("t",), priority=3)
    expected, keys = CASES[only]

    counted = await of_retry(parts.engine, old, only)
    new = await retry(parts.engine, old, only, "ben")

    frames = [json.loads(frame.data) for frame in await parts.store.read(new.id, 1)]
    assert counted == expected
    assert [event["data"]["key"] for event in frames] == keys
    assert all(event["data"]["reused"] for event in frames)
    assert (new.name, new.owner, new.tags, new.priority) == ("old", "ben", ("t",), 3)
    assert new.retry_of == old.id
    assert new.params == old.params


async def test_a_reused_failure_stays_a_failure_with_its_words(parts: Parts) -> None:
    old = await parts.run(p.STARTED, *ITEMS, p.FAILED)

    new = await retry(parts.engine, old, "remaining", "ben", name="again")

    assert new.name == "again"
    assert (new.progress.done, new.progress.failed, new.progress.reused) == (3, 1, 3)


async def test_without_a_total_nobody_knows_what_is_left(parts: Parts) -> None:
    old = await parts.run(p.STARTED, *ITEMS, p.FAILED)

    assert (await of_retry(parts.engine, old, "failed")).left is None


async def test_a_live_run_is_not_retried(parts: Parts) -> None:
    run = await parts.run(p.STARTED)

    with pytest.raises(InvalidControl, match="has not ended") as refusal:
        await retry(parts.engine, run, "all", "ben")

    assert refusal.value.details["allowed"] == ["cancel"]


async def test_a_retry_of_thousands_of_items_keeps_their_order(parts: Parts) -> None:
    old = await parts.run(p.STARTED)
    for start in range(0, 2500, 500):
        await parts.engine.append(old.id, *(an_item(f"k{n}") for n in range(start, start + 500)))
    over = (await parts.engine.append(old.id, p.FAILED)).run

    new = await retry(parts.engine, over, "failed", "ben")

    frames = await parts.store.read(new.id, 1, 10_000)
    assert [json.loads(frame.data)["data"]["key"] for frame in frames] == [f"k{n}" for n in range(2500)]
