"""The fold against the golden logs, which the browser's fold is tested against too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic_core import from_json

from pilothouse.errors import Invalid, InvalidTransition
from pilothouse.model import event as e
from pilothouse.model.fold import active_seconds, check, fold
from pilothouse.model.progress import eta_seconds
from pilothouse.model.run import Control, Run, Status, Strength

GOLDEN = Path(__file__).parent.parent / "golden"
NAMES = sorted(path.name.removesuffix(".jsonl") for path in GOLDEN.glob("*.jsonl"))


def frames(name: str) -> list[bytes]:
    """The lines of a golden log."""
    return (GOLDEN / f"{name}.jsonl").read_bytes().split(b"\n")[:-1]


def parsed(frame: bytes) -> e.Event:
    """A frame read back."""
    wire = from_json(frame)
    body = e.parse_body(wire["type"], wire["data"])
    return e.Event(wire["run_id"], wire["seq"], wire["time"], body)


def told(*bodies: e.Body) -> Run:
    """The state after a log of these bodies, one second apart."""
    run: Run | None = None
    queued = e.RunQueued(number=1, kind="benchmark", name="r", epoch="e")
    for index, body in enumerate((queued, *bodies)):
        run = fold(run, e.Event("r1", index + 1, f"2026-01-31T09:30:{index:02d}.000Z", body))
    assert run is not None
    return run


STARTED = e.RunStarted(attempt=1)
PAUSE = e.ControlRequested(control=Control.PAUSE, actor="ada")
CANCEL = e.ControlRequested(control=Control.CANCEL, actor="ada")


def test_the_latest_metrics_are_those_of_the_first_thousand_names() -> None:
    first, others = ([f"{letter}{index}" for index in range(600)] for letter in "ab")

    run = told(
        e.Metric(step=1, values=dict.fromkeys(first, 1.0)),
        e.Metric(step=2, values=dict.fromkeys(["a0", *others], 2.0)),
        e.Metric(step=3, values={"c": 3.0}),
    )

    assert list(run.metrics) == [*first, "c"]
    assert (run.metrics["a0"], run.metrics["a1"]) == (2.0, 1.0)


@pytest.mark.parametrize("until", ["tomorrow", "2026-01-31T18:00:00", "", "18:00Z"])
def test_what_is_no_time_ends_no_pause(until: str) -> None:
    with pytest.raises(Invalid, match="offset") as caught:
        e.parse_body("run.paused", {"until": until})

    assert caught.value.details["field"] == "until"


@pytest.mark.parametrize("name", NAMES)
def test_a_golden_log_folds_into_its_state(name: str) -> None:
    expected = json.loads((GOLDEN / f"{name}.state.json").read_text(encoding="utf-8"))
    run: Run | None = None

    for frame in frames(name):
        run = fold(run, parsed(frame))

    assert run is not None
    assert json.loads(json.dumps(run.snapshot())) == expected


@pytest.mark.rows("S1.88")
@pytest.mark.parametrize("name", NAMES)
def test_a_golden_log_gives_its_estimates(name: str) -> None:
    expected = json.loads((GOLDEN / f"{name}.samples.json").read_text(encoding="utf-8"))
    run: Run | None = None
    samples: list[list[Any]] = []

    for frame in frames(name):
        event = parsed(frame)
        run = fold(run, event)
        active = active_seconds(run, event.time)
        samples.append([event.seq, active, eta_seconds(run.progress, active)])

    assert samples == expected


@pytest.mark.parametrize("name", NAMES)
def test_a_frame_that_is_read_and_written_stays_the_same(name: str) -> None:
    for frame in frames(name):
        assert parsed(frame).frame() == frame


@pytest.mark.parametrize("name", NAMES)
def test_a_snapshot_that_is_restored_stays_the_same(name: str) -> None:
    expected = json.loads((GOLDEN / f"{name}.state.json").read_text(encoding="utf-8"))

    run = Run.restore(expected)

    assert json.loads(json.dumps(run.snapshot())) == expected


def test_the_golden_logs_hold_every_event_type() -> None:
    types = {from_json(frame)["type"] for name in NAMES for frame in frames(name)}

    assert types == set(e.BODIES)


def test_a_log_begins_with_run_queued() -> None:
    with pytest.raises(InvalidTransition, match=r"run\.queued"):
        fold(None, e.Event("r1", 1, "2026-01-31T09:30:00.000Z", STARTED))


def test_a_withdrawn_pause_cannot_be_acknowledged() -> None:
    run = told(STARTED, PAUSE, e.ControlWithdrawn(actor="ben"))

    with pytest.raises(InvalidTransition, match="withdrawn"):
        check(run, e.RunPaused())


def test_no_item_is_given_leave_while_a_pause_is_pending() -> None:
    run = told(STARTED, PAUSE)

    with pytest.raises(InvalidTransition, match="no item starts"):
        check(run, e.ItemStarted(key="a", ask=True))


def test_a_cancel_outranks_a_pause() -> None:
    run = told(STARTED, PAUSE, CANCEL)

    assert run.pending is Control.CANCEL
    with pytest.raises(InvalidTransition, match="cancel is pending"):
        check(run, PAUSE)


def test_a_cancel_may_be_repeated_with_force() -> None:
    run = told(STARTED, CANCEL, CANCEL.model_copy(update={"force": True}))

    assert run.request is not None
    assert run.request.force


def test_a_pending_cancel_leaves_no_way_to_complete() -> None:
    run = told(STARTED, CANCEL)

    with pytest.raises(InvalidTransition, match="cancel is pending"):
        check(run, e.RunCompleted())


def test_an_interruption_does_not_outlive_a_pending_cancel() -> None:
    run = told(STARTED, CANCEL)

    with pytest.raises(InvalidTransition, match="cancel is pending"):
        check(run, e.RunInterrupted(reason="signal 9"))


def test_a_run_without_a_process_is_not_interrupted() -> None:
    run = told(STARTED, PAUSE, e.RunPaused(strength=Strength.RELEASE))

    with pytest.raises(InvalidTransition, match="a process holds it"):
        check(run, e.RunInterrupted(reason="signal 9"))


def test_a_held_pause_may_be_released_and_remembers_who_paused_it() -> None:
    release = e.ControlRequested(control=Control.PAUSE, actor="timer", strength=Strength.RELEASE)

    run = told(STARTED, PAUSE, e.RunPaused(), release, e.RunPaused(strength=Strength.RELEASE))

    assert (run.status, run.strength, run.paused_by) == (Status.PAUSED, Strength.RELEASE, "ada")


def test_a_resume_takes_back_the_release_of_a_hold() -> None:
    release = e.ControlRequested(control=Control.PAUSE, actor="timer", strength=Strength.RELEASE)

    run = told(STARTED, PAUSE, e.RunPaused(), release, e.RunResumed(actor="ben"))

    assert (run.status, run.pending) == (Status.RUNNING, None)
    with pytest.raises(InvalidTransition, match="withdrawn"):
        check(run, e.RunPaused(strength=Strength.RELEASE))


def test_a_run_that_died_while_pausing_is_paused_and_released() -> None:
    run = told(STARTED, PAUSE, e.RunInterrupted(reason="signal 9"), e.RunPaused(actor="ada", unclean=True))

    assert run.status is Status.PAUSED
    assert run.strength is Strength.RELEASE


def test_the_stopwatch_stands_while_the_run_is_paused() -> None:
    run = told(STARTED, PAUSE, e.RunPaused())

    assert active_seconds(run, "2026-01-31T10:00:00.000Z") == 2.0


def test_an_attempt_follows_the_one_before() -> None:
    with pytest.raises(InvalidTransition, match="attempt 3"):
        check(told(), e.RunStarted(attempt=3))
