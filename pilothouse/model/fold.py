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
from pilothouse.model.run import Control, Failure, Phase, Request, Run, Status, Strength
from pilothouse.model.transition import Rule, rule_for

Changes = dict[str, Any]
SYSTEM_PREFIX = "system/"  # metrics that tell of the machine
MOST_METRICS = 1000  # a run's row and header carry them all, and every commit writes them

# What a user would call movement; without it for too long a run is stuck.
_MOVES = frozenset(
    {e.ItemStarted, e.ItemFinished, e.PhaseStarted, e.PhaseFinished, e.Metric, e.ProgressTold, e.RunStarted}
)


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
    rule = check(run, body)
    changes: dict[str, Any] = {"head": event.seq, "last_event_at": event.time}
    if is_movement(body):
        changes["moved"] = event.seq
    if rule is not None:
        changes["status"] = rule.target or run.status
    if change := _CHANGES.get(type(body)):
        changes |= change(run, body, event.time)
    if rule is not None:
        changes |= _clock(run, changes["status"], event.time)
        if any(changes.get(name, was) is not was for name, was in _turns(run)):
            changes["turned"] = event.seq
    return run.changed(changes)


def is_movement(body: e.Body) -> bool:
    """Whether it shows that the job gets on. What it uses of its machine does not: a job that hangs uses it too."""
    if isinstance(body, e.Metric):
        return not body.values or not all(name.startswith(SYSTEM_PREFIX) for name in body.values)
    return type(body) in _MOVES


def _turns(run: Run) -> tuple[tuple[str, object], ...]:
    """What controls are decided on, and what it was."""
    return ("status", run.status), ("request", run.request), ("stuck", run.stuck)


def check(run: Run, body: e.Body) -> Rule | None:
    """Refuse a body that the run's status or its pending control forbids.

    Returns:
        The row of the table that admits it; None where no row speaks of it.

    Raises:
        InvalidTransition: With the reason in words.
    """
    if (
        isinstance(body, e.ItemStarted)
        and body.ask
        and not (run.status is Status.RUNNING and not run.pending)
    ):
        raise InvalidTransition("no item starts while a control is pending")
    if isinstance(body, e.RunQueued):
        raise InvalidTransition("a run is queued once")
    return rule_for(run, body)


def _create(event: e.Event) -> Run:
    body = event.body
    if not isinstance(body, e.RunQueued):
        raise InvalidTransition(f"a log begins with run.queued, not {body.type}")
    return Run(
        id=event.run_id,
        created_at=event.time,
        last_event_at=event.time,
        head=event.seq,
        turned=event.seq,
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
    if run.status is Status.PAUSED:  # a held pause is released: who paused it, and why, stays
        return {"request": None, "strength": Strength.RELEASE}
    asked = run.request
    is_released = run.status is Status.QUEUED or body.unclean
    return {
        "request": None,
        "strength": Strength.RELEASE if is_released else body.strength,
        "paused_by": body.actor or (asked.actor if asked else None),
        "reason": body.reason or (asked.reason if asked else None),
        "until": body.until or (asked.until if asked else None),
    }


def _interrupted(run: Run, body: e.RunInterrupted, _time: str) -> Changes:
    return {
        "notice": body.reason if body.crash else None,
        "request": None,
        "crashes": run.crashes + body.crash,
        "wait_seconds": body.wait_seconds,
    }


def _failed(_run: Run, body: e.RunFailed, _time: str) -> Changes:
    return {"failure": Failure(**{k: v for k, v in body if k != "type"})}


def _requested(run: Run, body: e.ControlRequested, time: str) -> Changes:
    control = Control(body.control)
    until = body.until
    if control is Control.PAUSE:  # a pause that is made stronger keeps its end, or is given another
        until = until or (run.request.until if run.request else run.until)
    asked = Request(control, body.actor, time, body.reason, body.strength, body.force, until)
    is_held = run.status is Status.PAUSED and control is Control.PAUSE
    return {"request": asked, "until": until if is_held else run.until}


def _cancelled(run: Run, body: e.RunCancelled, _time: str) -> Changes:
    reason = body.reason or (run.request.reason if run.request else None)
    return {"ended_by": body.by, "reason": reason}


def _item_finished(run: Run, body: e.ItemFinished, time: str) -> Changes:
    return {"progress": count_item(run.progress, body, active_seconds(run, time))}


def _progress_told(run: Run, body: e.ProgressTold, time: str) -> Changes:
    return {"progress": tell(run.progress, body, active_seconds(run, time))}


def _metric_told(run: Run, body: e.Metric, _time: str) -> Changes:
    told = run.metrics | body.values
    if len(told) > MOST_METRICS:  # all points are in the log; the newcomers have no latest value
        told = {name: told[name] for name in run.metrics}
    return {"metrics": told}


def _edited(run: Run, body: e.RunEdited, _time: str) -> Changes:
    return {"name": body.name or run.name, "tags": run.tags if body.tags is None else body.tags}


# What each event changes beside the status; those that are missing change nothing.
_CHANGES: dict[type[e.Body], Callable[[Run, Any, str], Changes]] = {
    e.RunStarted: _started,
    e.RunPaused: _paused,
    e.RunResumed: lambda _run, _body, _time: {"notice": None, "request": None},
    e.RunInterrupted: _interrupted,
    e.RunFailed: _failed,
    e.RunCancelled: _cancelled,
    e.RunStuck: lambda _run, body, _time: {"stuck": True, "stuck_cause": body.cause},
    e.RunRecovered: lambda _run, _body, _time: {"stuck": False, "stuck_cause": None},
    e.RunCancelOverdue: lambda _run, body, _time: {"survivors": body.survivors},
    e.RunEdited: _edited,
    e.ControlRequested: _requested,
    e.ControlWithdrawn: lambda _run, _body, _time: {"request": None},
    e.ParamsChanged: lambda run, body, _time: {"params": run.params | body.values},
    e.PhaseStarted: lambda _run, body, _time: {"phase": Phase(body.name, body.index, body.of)},
    e.ItemStarted: lambda _run, body, _time: {"current": body.label or body.key},
    e.ItemFinished: _item_finished,
    e.ProgressTold: _progress_told,
    e.Metric: _metric_told,
    e.ArtifactSaved: lambda run, _body, _time: {"artifacts": run.artifacts + 1},
    e.GuardTripped: lambda _run, body, _time: {"notice": body.text or body.rule},
}


def _clock(run: Run, status: Status, time: str) -> dict[str, Any]:
    """Start or stop the stopwatch; clear what only a live run has."""
    changes: dict[str, Any] = {}
    if status is Status.RUNNING:
        if run.active_since is None:
            changes["active_since"] = time
    else:
        changes |= {"active_since": None, "active_seconds": active_seconds(run, time)}
        changes |= {"current": None, "stuck": False, "stuck_cause": None}
    if status is not Status.QUEUED:
        changes["wait_seconds"] = 0.0
    if run.status is Status.PAUSED and status is not Status.PAUSED:
        changes |= {"strength": None, "paused_by": None, "until": None}
        if status is not Status.CANCELLED:
            changes["reason"] = None
    if status.is_terminal:
        changes |= {"ended_at": time, "request": None, "strength": None, "survivors": None}
    return changes


def active_seconds(run: Run, time: str) -> float:
    """Seconds the run has spent running up to `time`, without pauses and waits."""
    if run.active_since is None:
        return run.active_seconds
    return round(run.active_seconds + seconds_between(run.active_since, time), 3)
