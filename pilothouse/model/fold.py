"""Turn a log into a state: `run = fold(run, event)`.

Pure and tiny. Stores call it inside the transaction that appends, so a run's
row can never disagree with its log. The browser runs the same function in
TypeScript (`ui/src/live/fold.ts`); `tests/golden/*.jsonl` keeps the two identical.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pilothouse.clock import seconds_between
from pilothouse.errors import InvalidTransition
from pilothouse.model import event as e
from pilothouse.model.progress import count_item, tell
from pilothouse.model.run import LIVE, Control, Failure, Phase, Request, Run, Status, Strength

_RUNNING = frozenset({Status.RUNNING})
_ACTIVE = frozenset({Status.RUNNING, Status.PAUSED})

# Bodies that more than the status decides on.
_CONDITIONAL = frozenset(
    {
        e.RunQueued,
        e.RunStarted,
        e.RunPaused,
        e.RunResumed,
        e.RunCompleted,
        e.RunFailed,
        e.ControlRequested,
        e.ControlWithdrawn,
        e.ItemStarted,
    }
)

Changes = dict[str, Any]

TRANSITIONS: dict[str, tuple[frozenset[Status], Status | None]] = {
    # event type       allowed from                                leads to (None: stays)
    "run.started": (frozenset({Status.QUEUED}), Status.RUNNING),
    "run.paused": (frozenset({Status.QUEUED, Status.RUNNING}), Status.PAUSED),
    "run.resumed": (frozenset({Status.PAUSED}), Status.RUNNING),
    "run.interrupted": (_ACTIVE, Status.QUEUED),
    "run.completed": (_RUNNING, Status.COMPLETED),
    "run.failed": (LIVE, Status.FAILED),
    "run.cancelled": (LIVE, Status.CANCELLED),
    "run.stuck": (_RUNNING, None),
    "run.recovered": (_RUNNING, None),
    "run.cancel_overdue": (_ACTIVE, None),
    "control.requested": (_ACTIVE, None),
    "control.withdrawn": (_RUNNING, None),
    "params.changed": (LIVE, None),
}


def fold(run: Run | None, event: e.Event) -> Run:
    """Apply one event.

    Args:
        run: The state before, None before the first event.
        event: The event with `seq == run.head + 1`.

    Returns:
        The state after.

    Raises:
        InvalidTransition: The run's status forbids this event.
    """
    if run is None:
        return _create(event)
    body = event.body
    check(run, body)
    changes: dict[str, Any] = {"head": event.seq, "last_event_at": event.time}
    transition = TRANSITIONS.get(body.type)
    if transition is not None:
        changes["status"] = transition[1] or run.status
    if change := _CHANGES.get(type(body)):
        changes |= change(run, body, event.time)
    if transition is not None:
        changes |= _clock(run, changes["status"], event.time)
    return run.changed(changes)


def check(run: Run, body: e.Body) -> None:
    """Refuse a body that the run's status or its pending control forbids.

    Raises:
        InvalidTransition: With the reason in words.
    """
    transition = TRANSITIONS.get(body.type)
    if transition is not None and run.status not in transition[0]:
        raise InvalidTransition(f"{body.type} is not possible for a run that is {run.status}")
    if type(body) in _CONDITIONAL:
        _check_condition(run, body)


def _check_condition(run: Run, body: e.Body) -> None:
    """Refuse what the status alone would admit."""
    match body:
        case e.RunQueued():
            raise InvalidTransition("a run is queued once")
        case e.RunStarted() if body.attempt != run.attempt + 1:
            raise InvalidTransition(f"attempt {body.attempt} cannot follow attempt {run.attempt}")
        case e.RunPaused(unasked=True) if run.pending is None:
            pass
        case e.RunPaused() if run.status is Status.RUNNING and run.pending is not Control.PAUSE:
            raise InvalidTransition("nobody asked this run to pause, or the pause was withdrawn")
        case e.ControlRequested(control=Control.CANCEL, force=True):
            pass  # a cancel that takes too long is repeated with force
        case e.RunCompleted() | e.RunFailed() | e.ControlRequested() | e.RunResumed() if (
            run.pending is Control.CANCEL
        ):
            raise InvalidTransition(f"{body.type} is not possible while a cancel is pending")
        case e.ControlWithdrawn() if run.pending is not Control.PAUSE:
            raise InvalidTransition("no pause is pending")
        case e.ItemStarted(ask=True) if run.pending or run.status is not Status.RUNNING:
            raise InvalidTransition("no item starts while a control is pending")
        case _:
            pass


def _create(event: e.Event) -> Run:
    body = event.body
    if not isinstance(body, e.RunQueued):
        raise InvalidTransition(f"a log begins with run.queued, not {body.type}")
    return Run(
        id=event.run_id,
        created_at=event.time,
        last_event_at=event.time,
        head=event.seq,
        **{name: getattr(body, name) for name in type(body).model_fields if name != "type"},
    )


def _started(run: Run, body: e.RunStarted, time: str) -> Changes:
    return {
        "attempt": body.attempt,
        "host": body.host,
        "started_at": run.started_at or time,
        "notice": None,
    }


def _paused(run: Run, body: e.RunPaused, _time: str) -> Changes:
    is_released = run.status is Status.QUEUED or body.unclean
    return {
        "request": None,
        "strength": Strength.RELEASE if is_released else body.strength,
        "paused_by": body.actor or (run.request.actor if run.request else None),
    }


def _resumed(run: Run, _body: e.RunResumed, _time: str) -> Changes:
    status = Status.QUEUED if run.strength is Strength.RELEASE else Status.RUNNING
    return {"status": status, "strength": None, "paused_by": None, "notice": None}


def _interrupted(run: Run, body: e.RunInterrupted, _time: str) -> Changes:
    request = run.request if run.pending is Control.CANCEL else None
    crashes = run.crashes + body.crash
    notice = body.reason if body.crash else None
    return {"strength": None, "paused_by": None, "notice": notice, "request": request, "crashes": crashes}


def _failed(_run: Run, body: e.RunFailed, _time: str) -> Changes:
    return {"failure": Failure(**{k: v for k, v in body if k != "type"})}


def _requested(_run: Run, body: e.ControlRequested, time: str) -> Changes:
    control = Control(body.control)
    return {"request": Request(control, body.actor, time, body.reason, body.strength, body.force)}


def _item_finished(run: Run, body: e.ItemFinished, time: str) -> Changes:
    return {"progress": count_item(run.progress, body, active_seconds(run, time))}


def _progress_told(run: Run, body: e.ProgressTold, time: str) -> Changes:
    return {"progress": tell(run.progress, body, active_seconds(run, time))}


def _edited(run: Run, body: e.RunEdited, _time: str) -> Changes:
    return {"name": body.name or run.name, "tags": run.tags if body.tags is None else body.tags}


# What each event changes beside the status; those that are missing change nothing.
_CHANGES: dict[type[e.Body], Callable[[Run, Any, str], Changes]] = {
    e.RunStarted: _started,
    e.RunPaused: _paused,
    e.RunResumed: _resumed,
    e.RunInterrupted: _interrupted,
    e.RunFailed: _failed,
    e.RunCancelled: lambda _run, body, _time: {"ended_by": body.by},
    e.RunStuck: lambda _run, _body, _time: {"stuck": True},
    e.RunRecovered: lambda _run, _body, _time: {"stuck": False},
    e.RunEdited: _edited,
    e.ControlRequested: _requested,
    e.ControlWithdrawn: lambda _run, _body, _time: {"request": None},
    e.ParamsChanged: lambda run, body, _time: {"params": run.params | body.values},
    e.PhaseStarted: lambda _run, body, _time: {"phase": Phase(body.name, body.index, body.of)},
    e.ItemStarted: lambda _run, body, _time: {"current": body.label or body.key},
    e.ItemFinished: _item_finished,
    e.ProgressTold: _progress_told,
    e.Metric: lambda run, body, _time: {"metrics": run.metrics | body.values},
    e.ArtifactSaved: lambda run, _body, _time: {"artifacts": run.artifacts + 1},
    e.GuardTripped: lambda _run, body, _time: {"notice": body.text or body.rule},
}


def _clock(run: Run, status: Status, time: str) -> dict[str, Any]:
    """Start or stop the stopwatch; clear what only a live run has."""
    changes: dict[str, Any] = {}
    if status is Status.RUNNING and run.active_since is None:
        changes["active_since"] = time
    if status is not Status.RUNNING:
        changes |= {"active_since": None, "active_seconds": active_seconds(run, time)}
        changes |= {"current": None, "stuck": False}
    if status.is_terminal:
        changes |= {"ended_at": time, "request": None, "strength": None}
    return changes


def active_seconds(run: Run, time: str) -> float:
    """Seconds the run has spent running up to `time`, without pauses and waits."""
    if run.active_since is None:
        return run.active_seconds
    return round(run.active_seconds + seconds_between(run.active_since, time), 3)
