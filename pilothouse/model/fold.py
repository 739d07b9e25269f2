"""Turn a log into a state: `run = fold(run, event)`.

Pure and tiny. Stores call it inside the transaction that appends, so a run's
row can never disagree with its log. The browser runs the same function in
TypeScript (`ui/src/live/fold.ts`); `tests/golden/*.jsonl` keeps the two identical.
"""

from __future__ import annotations

from typing import Any

from pilothouse.clock import seconds_between
from pilothouse.errors import InvalidTransition
from pilothouse.model import event as e
from pilothouse.model.progress import count_item, tell
from pilothouse.model.run import LIVE, Control, Failure, Phase, Request, Run, Status, Strength

_RUNNING = frozenset({Status.RUNNING})
_ACTIVE = frozenset({Status.RUNNING, Status.PAUSED})

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
    check(run, event.body)
    changes: dict[str, Any] = {"head": event.seq, "last_event_at": event.time}
    if event.body.type in TRANSITIONS:
        changes |= _transition(run, event)
    else:
        changes |= _fact(run, event)
    return run.changed(changes)


def check(run: Run, body: e.Body) -> None:
    """Refuse a body that the run's status or its pending control forbids.

    Raises:
        InvalidTransition: With the reason in words.
    """
    if isinstance(body, e.RunQueued):
        raise InvalidTransition("a run is queued once")
    allowed, _ = TRANSITIONS.get(body.type, (LIVE | {run.status}, None))
    if run.status not in allowed:
        raise InvalidTransition(f"{body.type} is not possible for a run that is {run.status}")
    match body:
        case e.RunStarted() if body.attempt != run.attempt + 1:
            raise InvalidTransition(f"attempt {body.attempt} cannot follow attempt {run.attempt}")
        case e.RunPaused() if run.status is Status.RUNNING and run.pending is not Control.PAUSE:
            raise InvalidTransition("nobody asked this run to pause, or the pause was withdrawn")
        case e.RunCompleted() | e.ControlRequested() | e.RunResumed() if run.pending is Control.CANCEL:
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


def _transition(run: Run, event: e.Event) -> dict[str, Any]:
    """The changes of an event that may move the run to another status."""
    body = event.body
    target = TRANSITIONS[body.type][1] or run.status
    changes: dict[str, Any] = {"status": target}
    match body:
        case e.RunStarted():
            changes |= {
                "attempt": body.attempt,
                "host": body.host,
                "started_at": run.started_at or event.time,
                "notice": None,
            }
        case e.RunPaused():
            changes |= {
                "request": None,
                "strength": Strength.RELEASE
                if run.status is Status.QUEUED or body.unclean
                else body.strength,
                "paused_by": body.actor or (run.request.actor if run.request else None),
            }
        case e.RunResumed():
            released = run.strength is Strength.RELEASE
            changes |= {
                "status": Status.QUEUED if released else Status.RUNNING,
                "strength": None,
                "paused_by": None,
            }
        case e.RunInterrupted():
            changes |= {"strength": None, "paused_by": None, "notice": body.reason}
            if run.pending is not Control.CANCEL:
                changes["request"] = None
        case e.RunFailed():
            changes["failure"] = Failure(**{k: v for k, v in body if k != "type"})
        case e.RunCancelled():
            changes["ended_by"] = body.by
        case e.ControlRequested():
            changes["request"] = Request(
                Control(body.control), body.actor, event.time, body.reason, body.strength, body.force
            )
        case e.ControlWithdrawn():
            changes["request"] = None
        case e.RunStuck() | e.RunRecovered():
            changes["stuck"] = isinstance(body, e.RunStuck)
        case e.ParamsChanged():
            changes["params"] = run.params | body.values
        case _:
            pass
    return changes | _clock(run, changes["status"], event.time)


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


def _fact(run: Run, event: e.Event) -> dict[str, Any]:
    """The changes of an event that leaves the status alone."""
    match event.body:
        case e.ItemStarted(key=key, label=label):
            return {"current": label or key}
        case e.ItemFinished() as item:
            progress = count_item(run.progress, item, active_seconds(run, event.time))
            return {"progress": progress}
        case e.ProgressTold() as told:
            return {"progress": tell(run.progress, told, active_seconds(run, event.time))}
        case e.PhaseStarted(name=name, index=index, of=of):
            return {"phase": Phase(name, index, of)}
        case e.Metric(values=values):
            return {"metrics": run.metrics | values}
        case e.GuardTripped(rule=rule, text=text):
            return {"notice": text or rule}
        case e.ArtifactSaved():
            return {"artifacts": run.artifacts + 1}
        case e.RunEdited(name=name, tags=tags):
            return {"name": name or run.name, "tags": run.tags if tags is None else tags}
        case _:
            return {}


def active_seconds(run: Run, time: str) -> float:
    """Seconds the run has spent running up to `time`, without pauses and waits."""
    if run.active_since is None:
        return run.active_seconds
    return round(run.active_seconds + seconds_between(run.active_since, time), 3)
