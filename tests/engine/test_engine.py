"""The verbs: submit, append, control under races, edit, live params, delete."""

from __future__ import annotations

import asyncio
import json

import pytest

from pilothouse.clock import seconds_between
from pilothouse.engine.control import Wish
from pilothouse.errors import Conflict, InvalidControl, InvalidParams, InvalidTransition, LeaseLost, NotFound
from pilothouse.model import event as e
from pilothouse.model.run import Control, Status
from pilothouse.testing.samples import a_note, a_run, an_item
from tests.engine import parts as p
from tests.engine.parts import BusyStore, Parts

pytestmark = pytest.mark.anyio

PAUSE = Wish(Control.PAUSE, "ben")
CANCEL = Wish(Control.CANCEL, "ben")


async def test_a_submitted_run_rings_once_and_a_known_one_does_not(parts: Parts) -> None:
    rung: list[str] = []
    parts.bus.subscribe(rung.append)
    new = a_run(idempotency_key="k")

    first, created = await parts.engine.submit(new)
    second, again = await parts.engine.submit(a_run(idempotency_key="k"))

    assert (created, again) == (True, False)
    assert first.id == second.id
    assert rung == [first.id]


async def test_an_unknown_kind_names_those_there_are(parts: Parts) -> None:
    with pytest.raises(InvalidParams, match="there is no kind 'x'") as refusal:
        parts.engine.new_run("x", {}, name=None, owner="ada")

    assert refusal.value.hint == "Kinds: benchmark."


async def test_bad_params_are_told_field_by_field(parts: Parts) -> None:
    with pytest.raises(InvalidParams) as refusal:
        parts.engine.validate("benchmark", {"count": "many", "speedy": 1})

    assert refusal.value.details["field"] == "count"
    assert [each["field"] for each in refusal.value.details["errors"]] == ["count", "speedy"]
    assert refusal.value.details["errors"][1]["message"] == "there is no such field"


async def test_a_run_without_a_name_gets_one_of_its_own(parts: Parts) -> None:
    new = parts.engine.new_run("benchmark", {}, name=None, owner="ada")

    assert new.name == f"benchmark-{new.id[-4:]}"
    assert new.params == {"count": 3, "speed": 1.0}


async def test_an_append_without_events_only_renews_the_lease(parts: Parts) -> None:
    run = await parts.run(p.STARTED)

    appended = await parts.engine.append_as(run.id, 1, 1, [], 15.0)

    assert appended.run.head == run.head
    with pytest.raises(LeaseLost):
        await parts.engine.append_as(run.id, 2, 1, [], 15.0)


async def test_a_batch_that_is_sent_again_is_stored_once_and_rings_once(parts: Parts) -> None:
    run = await parts.run(p.STARTED)
    rung: list[str] = []
    parts.bus.subscribe(rung.append)

    for _ in range(3):
        await parts.engine.append_as(run.id, 1, 1, [an_item("a"), an_item("b")], 15.0)

    assert (await parts.store.get(run.id)).head == run.head + 2
    assert rung == [run.id]


@pytest.mark.rows("S1.30")
async def test_of_two_who_pause_at_once_one_writes(parts: Parts) -> None:
    run = await parts.run(p.STARTED)

    answers = await asyncio.gather(*(parts.engine.control(run.id, PAUSE) for _ in range(5)))

    assert sorted(answer.changed for answer in answers) == [False] * 4 + [True]


@pytest.fixture
def busy() -> Parts:
    """An engine whose store lets others in first."""
    return Parts(BusyStore())


def let_in(parts: Parts, *others: e.Body) -> None:
    """Each of these is appended just before the next append gets its turn."""
    assert isinstance(parts.store, BusyStore)
    parts.store.others = list(others)


async def test_a_pause_that_meets_the_end_of_the_run_is_refused(busy: Parts) -> None:
    run = await busy.run(p.STARTED)
    let_in(busy, p.COMPLETED)

    with pytest.raises(InvalidControl, match="completed at"):
        await busy.engine.control(run.id, PAUSE)


async def test_a_pause_that_meets_the_claim_asks_the_job(busy: Parts) -> None:
    run = await busy.run()
    let_in(busy, p.STARTED)

    answer = await busy.engine.control(run.id, PAUSE)

    assert answer.run.pending is Control.PAUSE
    assert answer.accepted


async def test_a_resume_that_meets_the_acknowledged_pause_resumes(busy: Parts) -> None:
    run = await busy.run(p.STARTED, p.PAUSE)
    let_in(busy, p.HELD)

    answer = await busy.engine.control(run.id, Wish(Control.RESUME, "ben"))

    assert answer.run.status is Status.RUNNING
    assert answer.run.pending is None


async def test_a_cancel_outranks_a_pause_that_comes_first(busy: Parts) -> None:
    run = await busy.run(p.STARTED)
    let_in(busy, p.PAUSE)

    answer = await busy.engine.control(run.id, CANCEL)

    assert answer.run.pending is Control.CANCEL


async def test_a_run_that_never_stands_still_is_told_to_try_again(busy: Parts) -> None:
    run = await busy.run(p.STARTED)
    starts = [e.RunStarted(attempt=2), e.RunStarted(attempt=3)]
    let_in(busy, p.INTERRUPTED, starts[0], p.INTERRUPTED, starts[1], p.INTERRUPTED)

    with pytest.raises(Conflict, match="changes too fast"):
        await busy.engine.control(run.id, PAUSE)


async def test_live_params_change_and_others_do_not(parts: Parts) -> None:
    run = await parts.run(p.STARTED)

    changed = await parts.engine.change_params(run.id, "ben", {"speed": 2})

    assert changed.params == {"count": 3, "speed": 2.0}
    with pytest.raises(InvalidParams, match="count: cannot be changed") as refusal:
        await parts.engine.change_params(run.id, "ben", {"count": 4})
    assert refusal.value.hint == "While it runs, only these can be changed: speed."
    with pytest.raises(InvalidParams, match="speed"):
        await parts.engine.change_params(run.id, "ben", {"speed": "fast"})


async def test_params_of_an_ended_run_stay(parts: Parts) -> None:
    run = await parts.run(p.STARTED, p.COMPLETED)

    with pytest.raises(InvalidTransition):
        await parts.engine.change_params(run.id, "ben", {"speed": 2})


async def test_a_name_and_tags_are_changed_alone(parts: Parts) -> None:
    run = await parts.run(name="a", tags=("x",))

    named = await parts.engine.edit(run.id, "ben", "b", None)
    tagged = await parts.engine.edit(run.id, "ben", None, [])

    assert (named.name, named.tags) == ("b", ("x",))
    assert (tagged.name, tagged.tags) == ("b", ())


async def test_only_an_ended_run_is_deleted(parts: Parts) -> None:
    live, over = await parts.run(p.STARTED), await parts.run(p.STARTED, a_note(), p.COMPLETED)

    with pytest.raises(Conflict, match="only a run that has ended"):
        await parts.engine.delete(live.id)
    await parts.engine.delete(over.id)

    with pytest.raises(NotFound):
        await parts.store.get(over.id)


@pytest.mark.parametrize(("force", "seconds"), [(False, 8.0), (True, 0.0)])
async def test_a_cancel_says_when_the_process_is_ended_though_it_has_not_obeyed(
    parts: Parts, force: bool, seconds: float
) -> None:
    run = await parts.run(p.STARTED)

    await parts.engine.control(run.id, Wish(Control.CANCEL, "ada", force=force))

    (frame,) = await parts.store.read(run.id, 2)
    event = json.loads(frame.data)
    assert seconds_between(event["time"], event["data"]["deadline"]) == pytest.approx(seconds, abs=5)
