"""Somebody elsewhere is told of the end of a long run: once, durably, and again when it failed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pilothouse import clock
from pilothouse.engine.notification import WAITS, Letter, Undelivered
from pilothouse.engine.notifier import Notifier, Wanted
from pilothouse.model import event as e
from pilothouse.model.run import Run, Status
from tests.engine.parts import CANCEL, CANCELLED, COMPLETED, STARTED, Parts

pytestmark = pytest.mark.anyio


class Postbox:
    """A channel that keeps what it is sent, unless it is to fail."""

    address = "ada@lab.example"

    def __init__(self, name: str = "e-mail") -> None:
        self.name = name
        self.letters: list[tuple[Letter, str]] = []
        self.failures: list[Exception] = []

    async def send(self, letter: Letter, key: str) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.letters.append((letter, key))


class Wall:
    """The time, as much later as a test says."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> str:
        return clock.later(self.ahead)


def a_notifier(parts: Parts, *boxes: Postbox, seconds: float = 0.0, now: Wall | None = None) -> Notifier:
    wanted = Wanted(frozenset({Status.COMPLETED, Status.FAILED}), seconds)
    return Notifier(parts.engine, boxes, wanted, "http://lab:8420/", numbers, now or Wall())


def numbers(run: Run) -> list[tuple[str, str]]:
    return [(name.title(), str(value)) for name, value in run.metrics.items()]


async def told(parts: Parts, run: Run) -> list[dict[str, Any]]:
    frames = await parts.store.read(run.id, 0, types=("run.notified",))
    return [json.loads(frame.data)["data"] for frame in frames]


@pytest.mark.rows("S1.92")
async def test_the_end_of_a_run_is_told_once_with_result_numbers_and_link(parts: Parts) -> None:
    box = Postbox()
    notifier = a_notifier(parts, box)
    run = await parts.run(STARTED, e.ProgressTold(total=2), name="nightly")
    await notifier.look()
    before = len(box.letters)

    await parts.engine.append(
        run.id, e.ItemFinished(key="a", seconds=1), e.Metric(step=1, values={"accuracy": 0.875}), COMPLETED
    )
    for _ in range(3):
        await notifier.look()

    ((letter, key),) = box.letters
    assert (before, key) == (0, run.id)
    assert letter.subject == "nightly completed after 0 s"
    assert "Done: 1 of 2" in letter.text
    assert "Accuracy: 0.875" in letter.text
    assert letter.text.endswith(f"http://lab:8420/runs/{run.id}")
    assert letter.data["run"]["status"] == "completed"
    assert [each["state"] for each in await told(parts, run)] == ["sending", "sent"]


async def test_a_failure_is_told_with_its_cause_and_the_way_out(parts: Parts) -> None:
    box = Postbox()
    failed = e.RunFailed(message="CUDA out of memory", hint="Halve the batch size.")
    await parts.run(STARTED, failed, name="two\nlines")

    await a_notifier(parts, box).look()

    ((letter, _),) = box.letters
    assert letter.subject == "two lines failed after 0 s"
    assert "CUDA out of memory\nHalve the batch size." in letter.text


async def test_only_long_runs_and_the_ends_that_are_wanted_are_told(parts: Parts) -> None:
    box = Postbox()
    await parts.run(STARTED, COMPLETED)
    await parts.run(STARTED, CANCEL, CANCELLED)

    await a_notifier(parts, box, seconds=600).look()
    short = len(box.letters)
    await a_notifier(parts, box).look()

    assert (short, len(box.letters)) == (0, 1)


@pytest.mark.rows("S1.92")
async def test_what_was_not_taken_is_sent_again_later_and_at_last_given_up(parts: Parts) -> None:
    box, wall = Postbox(), Wall()
    box.failures = [Undelivered("The mail server is away.")] * len(WAITS) + [ValueError("a bug")]
    notifier = a_notifier(parts, box, now=wall)
    run = await parts.run(STARTED, COMPLETED)
    await notifier.look()
    await notifier.look()
    early = len(box.failures)

    for wait in WAITS:
        wall.ahead += wait + 1
        await notifier.look()
    wall.ahead += 10 * WAITS[-1]
    await notifier.look()

    log = await told(parts, run)
    assert early == len(WAITS)  # asked once until the wait is over
    assert (box.failures, box.letters) == ([], [])
    assert [each["round"] for each in log if each["state"] == "failed"] == list(range(1, len(WAITS) + 2))
    assert log[1]["detail"] == "The mail server is away."


@pytest.mark.rows("S1.92")
async def test_a_server_that_died_before_it_told_tells_when_it_is_back(parts: Parts) -> None:
    box, wall = Postbox(), Wall()
    run = await parts.run(STARTED, COMPLETED)
    claim = e.RunNotified(channel="e-mail", address="a@b", state="sending", round=1, by="dead")
    await parts.engine.append(run.id, claim)
    again = a_notifier(parts, box, now=wall)
    await again.look()
    at_once = len(box.letters)

    wall.ahead = 121.0
    await again.look()

    assert (at_once, len(box.letters)) == (0, 1)


async def test_of_two_servers_one_tells(parts: Parts) -> None:
    box = Postbox()
    one, other = a_notifier(parts, box), a_notifier(parts, box)
    await parts.run(STARTED, COMPLETED)

    await one.look()
    await other.look()

    assert len(box.letters) == 1


async def test_a_claim_that_comes_second_sends_nothing(parts: Parts) -> None:
    box = Postbox()
    run = await parts.run(STARTED, COMPLETED)
    claim = e.RunNotified(channel="e-mail", address="a@b", state="sending", round=1, by="quicker")
    append = parts.engine.append

    async def append_second(run_id: str, *bodies: e.Body, **more: Any) -> Any:
        await append(run_id, claim)
        return await append(run_id, *bodies, **more)

    parts.engine.append = append_second  # type: ignore[method-assign]
    await a_notifier(parts, box).look()

    assert box.letters == []
    assert (await told(parts, run))[0]["by"] == "quicker"


async def test_each_channel_is_told_by_itself_and_a_deleted_run_is_forgotten(parts: Parts) -> None:
    mail, hook, wall = Postbox(), Postbox("webhook"), Wall()
    mail.failures = [Undelivered("away")]
    notifier = a_notifier(parts, mail, hook, now=wall)
    run = await parts.run(STARTED, COMPLETED)
    await notifier.look()

    await parts.engine.delete(run.id)
    wall.ahead = 61
    await notifier.look()

    assert (len(mail.letters), len(hook.letters)) == (0, 1)


async def test_a_try_out_says_what_went_wrong_where(parts: Parts) -> None:
    mail, hook = Postbox(), Postbox("webhook")
    mail.failures = [Undelivered("The password was rejected.")]

    said = await a_notifier(parts, mail, hook).try_out()

    assert (str(said["e-mail"]), said["webhook"]) == ("The password was rejected.", None)
    assert "This is a test." in hook.letters[0][0].text
