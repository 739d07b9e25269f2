"""The answers to a control, against the table of the concept: every status × pending × control."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from pilothouse.engine.control import Wish
from pilothouse.errors import InvalidControl
from pilothouse.model import event as e
from pilothouse.model.run import Control
from tests.engine import parts as p
from tests.engine.parts import Parts

pytestmark = pytest.mark.anyio

HISTORIES: dict[str, list[e.Body]] = {
    "queued": [],
    "queued again": [p.STARTED, p.INTERRUPTED],
    "running": [p.STARTED],
    "running, pausing": [p.STARTED, p.PAUSE],
    "running, cancelling": [p.STARTED, p.CANCEL],
    "held": [p.STARTED, p.PAUSE, p.HELD],
    "held, cancelling": [p.STARTED, p.PAUSE, p.HELD, p.CANCEL],
    "released": [p.STARTED, p.PAUSE, p.RELEASED],
    "paused before it began": [p.RELEASED],
    "completed": [p.STARTED, p.COMPLETED],
    "failed": [p.STARTED, p.FAILED],
    "cancelled": [p.STARTED, p.CANCEL, p.CANCELLED],
}


class Answer(NamedTuple):
    """What the table says: HTTP code, the event that is written, and the run after it."""

    code: int
    event: str | None
    status: str
    pending: str | None = None


REQUESTED, WITHDRAWN = "control.requested", "control.withdrawn"

TABLE: dict[str, dict[str, Answer | str]] = {
    # from                 pause, resume, cancel; a word is the code of a refusal (409)
    "queued": {
        "pause": Answer(200, "run.paused", "paused"),
        "resume": Answer(200, None, "queued"),
        "cancel": Answer(200, "run.cancelled", "cancelled"),
    },
    "queued again": {
        "pause": Answer(200, "run.paused", "paused"),
        "resume": Answer(200, None, "queued"),
        "cancel": Answer(200, "run.cancelled", "cancelled"),
    },
    "running": {
        "pause": Answer(202, REQUESTED, "running", "pause"),
        "resume": Answer(200, None, "running"),
        "cancel": Answer(202, REQUESTED, "running", "cancel"),
    },
    "running, pausing": {
        "pause": Answer(200, None, "running", "pause"),
        "resume": Answer(200, WITHDRAWN, "running"),
        "cancel": Answer(202, REQUESTED, "running", "cancel"),
    },
    "running, cancelling": {
        "pause": "cancelling",
        "resume": "cancelling",
        "cancel": Answer(200, None, "running", "cancel"),
    },
    "held": {
        "pause": Answer(200, None, "paused"),
        "resume": Answer(202, "run.resumed", "running"),
        "cancel": Answer(202, REQUESTED, "paused", "cancel"),
    },
    "held, cancelling": {
        "pause": "cancelling",
        "resume": "cancelling",
        "cancel": Answer(200, None, "paused", "cancel"),
    },
    "released": {
        "pause": Answer(200, None, "paused"),
        "resume": Answer(202, "run.resumed", "queued"),
        "cancel": Answer(200, "run.cancelled", "cancelled"),
    },
    "paused before it began": {
        "pause": Answer(200, None, "paused"),
        "resume": Answer(202, "run.resumed", "queued"),
        "cancel": Answer(200, "run.cancelled", "cancelled"),
    },
    "completed": {
        "pause": "already_finished",
        "resume": "already_finished",
        "cancel": "already_finished",
    },
    "failed": {
        "pause": "already_finished",
        "resume": "already_finished",
        "cancel": "already_finished",
    },
    "cancelled": {
        "pause": "already_finished",
        "resume": "already_finished",
        "cancel": Answer(200, None, "cancelled"),
    },
}
CELLS = [(name, control) for name in HISTORIES for control in Control]


@pytest.mark.rows("S3.52")
@pytest.mark.parametrize(("name", "control"), CELLS, ids=str)
async def test_a_control_answers_as_the_table_says(parts: Parts, name: str, control: Control) -> None:
    run = await parts.run(*HISTORIES[name])
    expected = TABLE[name][control]

    if isinstance(expected, str):
        with pytest.raises(InvalidControl) as refusal:
            await parts.engine.control(run.id, Wish(control, "ben"))
        after, answer = await parts.store.get(run.id), None
    else:
        answer = await parts.engine.control(run.id, Wish(control, "ben"))
        after = answer.run

    if answer is None:
        assert refusal.value.code == expected
        assert refusal.value.details["allowed"] == (["retry"] if run.status.is_terminal else ["cancel"])
        assert refusal.value.details["status"] == run.status
        assert after.head == run.head
        return
    written = [frame.type for frame in await parts.store.read(run.id, run.head)]
    said = Answer(
        202 if answer.accepted else 200, written[0] if written else None, after.status, after.pending
    )
    assert said == expected
    assert answer.changed is bool(written)
    assert answer.event_seq == (after.head if written else None)


@pytest.mark.parametrize("name", HISTORIES)
@pytest.mark.parametrize("control", Control)
async def test_asking_twice_writes_once(parts: Parts, name: str, control: Control) -> None:
    run = await parts.run(*HISTORIES[name])
    if isinstance(TABLE[name][control], str):
        return

    await parts.engine.control(run.id, Wish(control, "ben"))
    again = await parts.engine.control(run.id, Wish(control, "ben"))

    assert not again.changed
    assert again.run.head <= run.head + 1


@pytest.mark.parametrize("name", ["running, cancelling", "held, cancelling"])
async def test_a_cancel_is_repeated_with_force_once(parts: Parts, name: str) -> None:
    run = await parts.run(*HISTORIES[name])

    forced = await parts.engine.control(run.id, Wish(Control.CANCEL, "ben", force=True))
    again = await parts.engine.control(run.id, Wish(Control.CANCEL, "ben", force=True))

    assert forced.changed
    assert forced.accepted
    assert forced.run.request is not None
    assert forced.run.request.force
    assert not again.changed


@pytest.mark.parametrize("name", ["completed", "failed", "cancelled"])
async def test_a_refusal_says_in_words_what_happened_and_what_is_possible(parts: Parts, name: str) -> None:
    run = await parts.run(*HISTORIES[name], name="tuning")

    with pytest.raises(InvalidControl) as refusal:
        await parts.engine.control(run.id, Wish(Control.PAUSE, "ben"))

    verb = "was cancelled" if name == "cancelled" else name
    assert refusal.value.message == f"Run tuning {verb} at {run.ended_at} and can no longer be paused."
    assert refusal.value.hint == "Retry makes a new run and reuses what is finished."


@pytest.mark.rows("S1.80", "S3.55")
async def test_who_asked_and_why_is_in_the_log(parts: Parts) -> None:
    run = await parts.run(p.STARTED)

    answer = await parts.engine.control(run.id, Wish(Control.PAUSE, "ben", "lunch"))

    assert answer.run.request is not None
    assert (answer.run.request.actor, answer.run.request.reason) == ("ben", "lunch")
