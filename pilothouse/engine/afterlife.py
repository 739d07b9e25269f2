"""What becomes of a run whose attempt is gone, as a pure function of the run and of how it ended."""

from __future__ import annotations

from dataclasses import dataclass

from pilothouse.model import event as e
from pilothouse.model.run import Control, Run, Status, Strength

TAIL_CHARACTERS = 4000
LONGEST_WAIT_SECONDS = 60.0
MOST_DOUBLINGS = 64  # beyond any wait, and within what a float can hold


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt ended without a last word.

    Attributes:
        reason: In a few words, such as `signal 9`.
        is_crash: It was the job's doing; False when its host was told to stop.
        is_confirmed: Somebody has seen that the process tree is gone; False when only its lease ran out.
        exit_code, signal, tail: As far as they are known.
        in_flight: Keys of items that were in hand.
    """

    reason: str
    is_crash: bool = True
    is_confirmed: bool = True
    exit_code: int | None = None
    signal: int | None = None
    tail: str = ""
    in_flight: tuple[str, ...] = ()


def afterlife(
    run: Run, ending: Ending, max_attempts: int | None, backoff_seconds: float = 0.0
) -> list[e.Body]:
    """The events that settle a run: cancelled, paused, queued again, or failed at last.

    Args:
        run: A run with an attempt that was alive.
        ending: How the attempt ended.
        max_attempts: How many of a run's attempts may crash, the last included; None: the kind is gone.
        backoff_seconds: Wait after the first crash; it doubles with each, up to a minute.
    """
    if run.pending is Control.CANCEL and run.request:
        return [e.RunCancelled(by=run.request.actor, confirmed_dead=ending.is_confirmed)]
    wait = backoff_seconds * 2.0 ** min(run.crashes, MOST_DOUBLINGS) if ending.is_crash else 0.0
    interrupted = e.RunInterrupted(
        reason=ending.reason,
        crash=ending.is_crash,
        in_flight=ending.in_flight,
        wait_seconds=min(wait, LONGEST_WAIT_SECONDS),
    )
    if run.attached:
        return [_failure(run, ending)]
    if run.status is Status.PAUSED or run.pending is Control.PAUSE:
        return [interrupted, _still_paused(run)]
    if ending.is_crash and (max_attempts is None or run.crashes + 1 >= max_attempts):
        return [_failure(run, ending)]
    return [interrupted]


def _still_paused(run: Run) -> e.RunPaused:
    """The pause that was in force or asked for: the user wants it still."""
    asked = run.request
    is_paused = run.status is Status.PAUSED
    return e.RunPaused(
        strength=Strength.RELEASE,
        actor=run.paused_by if is_paused else asked and asked.actor,
        reason=run.reason if is_paused else asked and asked.reason,
        until=run.until if is_paused else asked and asked.until,
        unclean=True,
    )


def _failure(run: Run, ending: Ending) -> e.RunFailed:
    times = f", {run.crashes + 1} times" if run.crashes else ""
    if ending.is_confirmed:
        message = f"The job ended without a last word ({ending.reason}){times}."
        hint = "The console's last lines are below; a system short of memory kills with signal 9."
    else:
        message = f"The job stopped answering{times}."
        hint = "Look at the host's log, then retry the remaining items."
    if run.attached:
        hint = 'Start it again by hand: ph.run(…, resume="@last") reuses what is finished.'
    return e.RunFailed(
        reason="worker_lost",
        message=message,
        hint=hint,
        exit_code=ending.exit_code,
        signal=ending.signal,
        tail=ending.tail[-TAIL_CHARACTERS:] or None,
    )
