"""What holds of every log that the fold admits, whatever events were tried."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.errors import InvalidTransition
from pilothouse.model import event as e
from pilothouse.model.fold import active_seconds, fold
from pilothouse.model.progress import eta_seconds
from pilothouse.model.run import Control, Run, Status, Strength

KEYS = st.sampled_from(["a", "b", "c"])
STRENGTHS = st.sampled_from(list(Strength))
COUNTS = st.none() | st.integers(0, 50)

BODIES: st.SearchStrategy[e.Body] = st.one_of(
    st.builds(e.RunStarted, attempt=st.integers(1, 4)),
    st.builds(e.RunPaused, strength=STRENGTHS, actor=st.just("ada"), unclean=st.booleans()),
    st.builds(e.RunResumed, actor=st.just("ada")),
    st.just(e.RunCompleted()),
    st.just(e.RunFailed(message="no")),
    st.just(e.RunCancelled(by="ada")),
    st.just(e.RunInterrupted(reason="signal 9")),
    st.just(e.RunStuck(seconds=1.0)),
    st.just(e.RunRecovered()),
    st.just(e.RunCancelOverdue(survivors=1)),
    st.builds(
        e.ControlRequested,
        control=st.sampled_from([Control.PAUSE, Control.CANCEL]),
        actor=st.just("ada"),
        strength=STRENGTHS,
        force=st.booleans(),
    ),
    st.just(e.ControlWithdrawn(actor="ada")),
    st.just(e.ParamsChanged(actor="ada", values={"x": 1})),
    st.builds(e.ItemStarted, key=KEYS, ask=st.booleans()),
    st.builds(e.ItemFinished, key=KEYS, ok=st.booleans(), seconds=st.floats(0, 9), reused=st.booleans()),
    st.builds(e.ProgressTold, done=COUNTS, total=COUNTS, groups=st.dictionaries(KEYS, st.integers(0, 9))),
    st.just(e.Metric(step=1, values={"loss": 0.5})),
    st.just(e.Log(text="line")),
)
TRIED = st.lists(st.tuples(BODIES, st.integers(0, 5000)), max_size=60)


@dataclass
class Told:
    """A log of whatever was admitted: the events and every state on the way."""

    events: list[e.Event] = field(default_factory=list)
    states: list[Run] = field(default_factory=list)

    @property
    def steps(self) -> list[tuple[Run, e.Event, Run]]:
        """Before, event, after."""
        return list(zip(self.states, self.events[1:], self.states[1:], strict=False))


def tell(tried: list[tuple[e.Body, int]]) -> Told:
    """Try these bodies, each so many milliseconds after the one before."""
    told = Told()
    milliseconds = 0
    run: Run | None = None
    for body, wait in [(e.RunQueued(number=1, kind="k", name="n", epoch="e"), 0), *tried]:
        milliseconds += wait
        minutes, rest = divmod(milliseconds, 60_000)
        time = f"2026-01-31T09:{minutes:02d}:{rest // 1000:02d}.{rest % 1000:03d}Z"
        event = e.Event("r1", len(told.events) + 1, time, body)
        try:
            run = fold(run, event)
        except InvalidTransition:
            continue
        told.events.append(event)
        told.states.append(run)
    return told


@given(TRIED)
@settings(max_examples=300, deadline=None)
def test_the_log_and_the_state_agree(tried: list[tuple[e.Body, int]]) -> None:
    told = tell(tried)
    run = told.states[-1]

    assert run.head == len(told.events)
    assert run.last_event_at == told.events[-1].time
    assert Run.restore(json.loads(json.dumps(run.snapshot()))) == run


@given(TRIED)
@settings(max_examples=300, deadline=None)
def test_terminal_is_terminal(tried: list[tuple[e.Body, int]]) -> None:
    for before, _, after in tell(tried).steps:
        if before.status.is_terminal:
            assert (after.status, after.ended_at) == (before.status, before.ended_at)
            assert after.attempt == before.attempt
            assert after.active_seconds == before.active_seconds


@given(TRIED)
@settings(max_examples=300, deadline=None)
def test_progress_never_goes_back_and_never_exceeds_the_total(tried: list[tuple[e.Body, int]]) -> None:
    told = tell(tried)

    for before, _, after in told.steps:
        assert after.progress.done >= before.progress.done
        assert after.progress.failed >= before.progress.failed
    for run in told.states:
        progress = run.progress
        assert progress.failed <= progress.done
        assert progress.reused <= progress.done
        assert progress.total is None or progress.done <= progress.total
        assert list(progress.marks) == sorted(progress.marks)
        assert len(progress.marks) <= 80


@given(TRIED)
@settings(max_examples=300, deadline=None)
def test_a_pending_cancel_never_ends_in_completed(
    tried: list[tuple[e.Body, int]],
) -> None:
    for before, _, after in tell(tried).steps:
        if before.pending is Control.CANCEL:
            assert (
                after.status not in (Status.COMPLETED, Status.PAUSED) or before.status is not Status.RUNNING
            )


@given(TRIED)
@settings(max_examples=300, deadline=None)
def test_no_item_is_given_leave_while_a_control_is_pending(tried: list[tuple[e.Body, int]]) -> None:
    for before, event, _ in tell(tried).steps:
        if isinstance(event.body, e.ItemStarted) and event.body.ask:
            assert before.status is Status.RUNNING
            assert before.pending is None


@given(TRIED)
@settings(max_examples=300, deadline=None)
def test_the_fields_of_a_status_come_and_go_with_it(tried: list[tuple[e.Body, int]]) -> None:
    for run in tell(tried).states:
        assert (run.active_since is not None) == (run.status is Status.RUNNING)
        assert (run.strength is not None) == (run.status is Status.PAUSED)
        assert (run.ended_at is not None) == run.status.is_terminal
        assert not (run.status.is_terminal and run.pending)
        assert not (run.stuck and run.status is not Status.RUNNING)


@given(TRIED)
@settings(max_examples=300, deadline=None)
def test_the_stopwatch_never_goes_back(tried: list[tuple[e.Body, int]]) -> None:
    told = tell(tried)
    readings = [active_seconds(run, event.time) for run, event in zip(told.states, told.events, strict=True)]

    assert readings == sorted(readings)


@given(TRIED)
@settings(max_examples=300, deadline=None)
def test_an_estimate_is_none_or_a_number_that_makes_sense(tried: list[tuple[e.Body, int]]) -> None:
    told = tell(tried)

    for run, event in zip(told.states, told.events, strict=True):
        estimate = eta_seconds(run.progress, active_seconds(run, event.time))
        assert estimate is None or 0 <= estimate < float("inf")
