"""What a control does, as data: asked for × where the run stands → what is written, or why not.

The table is docs/concepts/controls.md; a test compares the two. `decide` only
looks it up, so nothing about a control is hidden in code.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pilothouse.errors import InvalidControl
from pilothouse.model import event as e
from pilothouse.model.run import Control, Request, Run, Status, Strength


@dataclass(frozen=True, slots=True)
class Wish:
    """A control as a user asks for it.

    Attributes:
        until: ISO time at which the pause ends by itself.
        deadline: ISO time at which the process is ended though it has not obeyed a cancel.
        version: Only if the run still has this version, see `Run.version`.
    """

    control: Control
    actor: str
    reason: str | None = None
    strength: Strength = Strength.HOLD
    force: bool = False
    until: str | None = None
    deadline: str | None = None
    version: str | None = None


class Ask(StrEnum):
    """The controls with their two stronger forms."""

    PAUSE = "pause"
    RELEASE = "pause, release"
    RESUME = "resume"
    CANCEL = "cancel"
    FORCE = "cancel, force"


class Situation(StrEnum):
    """Where a run stands, as far as controls care."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSING = "running, pause pending"
    RELEASING = "running, release pending"
    HELD = "paused, held"
    LEAVING = "paused, held, release pending"
    RELEASED = "paused, released"
    CANCELLING = "cancel pending"
    KILLING = "cancel by force pending"
    ENDED = "completed or failed"
    CANCELLED = "cancelled"


class Effect(StrEnum):
    """What a control does."""

    UNCHANGED = "unchanged"
    PAUSED = "run.paused"
    RESUMED = "run.resumed"
    CANCELLED = "run.cancelled"
    REQUESTED = "control.requested"
    WITHDRAWN = "control.withdrawn"
    CANCELLING = "cancelling"
    FINISHED = "already_finished"


_SAME, _ASKED, _CANCELLING, _FINISHED = (
    Effect.UNCHANGED,
    Effect.REQUESTED,
    Effect.CANCELLING,
    Effect.FINISHED,
)

# For each situation: pause, release, resume, cancel, force.
_ROWS: dict[Situation, tuple[Effect, Effect, Effect, Effect, Effect]] = {
    Situation.QUEUED: (Effect.PAUSED, Effect.PAUSED, _SAME, Effect.CANCELLED, Effect.CANCELLED),
    Situation.RUNNING: (_ASKED, _ASKED, _SAME, _ASKED, _ASKED),
    Situation.PAUSING: (_SAME, _ASKED, Effect.WITHDRAWN, _ASKED, _ASKED),
    Situation.RELEASING: (_SAME, _SAME, Effect.WITHDRAWN, _ASKED, _ASKED),
    Situation.HELD: (_SAME, _ASKED, Effect.RESUMED, _ASKED, _ASKED),
    Situation.LEAVING: (_SAME, _SAME, Effect.RESUMED, _ASKED, _ASKED),
    Situation.RELEASED: (_SAME, _SAME, Effect.RESUMED, Effect.CANCELLED, Effect.CANCELLED),
    Situation.CANCELLING: (_CANCELLING, _CANCELLING, _CANCELLING, _SAME, _ASKED),
    Situation.KILLING: (_CANCELLING, _CANCELLING, _CANCELLING, _SAME, _SAME),
    Situation.ENDED: (_FINISHED,) * 5,
    Situation.CANCELLED: (_FINISHED, _FINISHED, _FINISHED, _SAME, _SAME),
}

TABLE: dict[tuple[Situation, Ask], Effect] = {
    (situation, ask): effect
    for situation, effects in _ROWS.items()
    for ask, effect in zip(Ask, effects, strict=True)
}


def situation_of(run: Run) -> Situation:
    """Where the run stands."""
    if run.status.is_terminal:
        return Situation.CANCELLED if run.status is Status.CANCELLED else Situation.ENDED
    if run.request is not None:
        return _asked(run.status, run.request)
    if run.status is Status.PAUSED:
        return Situation.RELEASED if run.strength is Strength.RELEASE else Situation.HELD
    return Situation.QUEUED if run.status is Status.QUEUED else Situation.RUNNING


def _asked(status: Status, request: Request) -> Situation:
    """Where a run stands that has yet to obey."""
    if request.control is Control.CANCEL:
        return Situation.KILLING if request.force else Situation.CANCELLING
    if status is Status.PAUSED:
        return Situation.LEAVING
    return Situation.RELEASING if request.strength is Strength.RELEASE else Situation.PAUSING


def ask_of(wish: Wish) -> Ask:
    """The control with its strength."""
    if wish.control is Control.PAUSE and wish.strength is Strength.RELEASE:
        return Ask.RELEASE
    if wish.control is Control.CANCEL and wish.force:
        return Ask.FORCE
    return Ask(wish.control)


def decide(run: Run, wish: Wish) -> e.Body | None:
    """The event that a control writes now, None when the run is as asked for already.

    Raises:
        InvalidControl: The table refuses it.
    """
    effect = TABLE[situation_of(run), ask_of(wish)]
    match effect:
        case Effect.CANCELLING:
            raise _cancelling(run, wish.control)
        case Effect.FINISHED:
            raise _finished(run, wish.control)
        case _:
            return _body(effect, wish)


def _body(effect: Effect, wish: Wish) -> e.Body | None:
    """The event of an effect that is no refusal."""
    match effect:
        case Effect.PAUSED:
            return e.RunPaused(
                strength=Strength.RELEASE, actor=wish.actor, reason=wish.reason, until=wish.until
            )
        case Effect.RESUMED:
            return e.RunResumed(actor=wish.actor, reason=wish.reason)
        case Effect.CANCELLED:
            return e.RunCancelled(by=wish.actor, reason=wish.reason)
        case Effect.WITHDRAWN:
            return e.ControlWithdrawn(actor=wish.actor)
        case Effect.REQUESTED if wish.control is not Control.RESUME:
            return e.ControlRequested(
                control=wish.control,
                actor=wish.actor,
                reason=wish.reason,
                strength=wish.strength,
                force=wish.force,
                until=wish.until,
                deadline=wish.deadline,
            )
        case _:
            return None


def is_accepted(before: Run, after: Run, control: Control) -> bool:
    """True when the job has yet to obey; a withdrawn pause and a queued run are done at once."""
    if control is Control.RESUME:
        return before.status is Status.PAUSED
    return after.pending is not None


_PAST = {Control.PAUSE: "paused", Control.RESUME: "resumed", Control.CANCEL: "cancelled"}


def _finished(run: Run, control: Control) -> InvalidControl:
    was = "was cancelled" if run.status is Status.CANCELLED else run.status
    error = InvalidControl(
        f"Run {run.name} {was} at {run.ended_at} and can no longer be {_PAST[control]}.",
        hint="Retry makes a new run and reuses what is finished.",
        status=run.status,
        allowed=["retry"],
    )
    error.code = "already_finished"
    return error


def _cancelling(run: Run, control: Control) -> InvalidControl:
    error = InvalidControl(
        f"Run {run.name} is being cancelled and can no longer be {_PAST[control]}.",
        hint="Wait for the cancel, then retry.",
        status=run.status,
        pending=run.pending,
        allowed=["cancel"],
    )
    error.code = "cancelling"
    return error
