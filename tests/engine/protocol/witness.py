"""Who reads the log as a user would and complains of every broken promise.

It knows nothing of the fold: it remembers what was asked, granted and ended, from
the events alone, and holds the run's state against that.
"""

from __future__ import annotations

from typing import NamedTuple

from pilothouse.model.run import Control, Run, Status, Strength
from tests.engine.protocol.server import Told

ENDS = frozenset({"run.completed", "run.failed", "run.cancelled"})


class Broken(Exception):
    """A promise does not hold.

    Args:
        promise: Its short name.
        words: What happened.
    """

    def __init__(self, promise: str, words: str) -> None:
        super().__init__(f"{promise}: {words}")
        self.promise = promise


class Seen(NamedTuple):
    """What the log has said so far.

    Attributes:
        attempt: The newest attempt that was started.
        holder: The attempt that may be alive; 0 when it was settled or has let go.
        is_paused: A pause was accepted and not taken back since.
        until: When that pause is to end.
        is_cancelled: A cancel was accepted.
        end: How the run ended.
        finished: Keys of items that have a result.
    """

    attempt: int = 0
    holder: int = 0
    is_paused: bool = False
    until: str | None = None
    is_cancelled: bool = False
    end: str | None = None
    finished: frozenset[str] = frozenset()


class Scene(NamedTuple):
    """What is true around an append.

    Attributes:
        writer: The attempt that says it; None for the server, acting for a user or for itself.
        alive: Attempts that have a live process.
        items: Keys of all items.
    """

    writer: int | None
    alive: frozenset[int]
    items: tuple[str, ...]


def hear(seen: Seen, told: tuple[Told, ...], scene: Scene) -> Seen:
    """What is known after these events.

    Raises:
        Broken: One of them breaks a promise.
    """
    for event in told:
        if seen.end:
            raise Broken("terminal is terminal", f"{event.type} after {seen.end}")
        if scene.writer is not None and scene.writer != seen.attempt:
            raise Broken("one attempt writes", f"attempt {scene.writer} said {event.type}")
        seen = _HEAR.get(event.type, _hear_nothing)(seen, event, scene)
    return seen


def _hear_nothing(seen: Seen, event: Told, scene: Scene) -> Seen:
    return seen


def _hear_start(seen: Seen, event: Told, scene: Scene) -> Seen:
    number = event.data["attempt"]
    if seen.holder or number != seen.attempt + 1:
        raise Broken("one attempt is alive", f"attempt {number} begins while {seen.holder} may be alive")
    if seen.is_paused:
        raise Broken("a paused run stays paused", "a new attempt begins")
    return seen._replace(attempt=number, holder=number)


def _hear_item(seen: Seen, event: Told, scene: Scene) -> Seen:
    if seen.is_paused or seen.is_cancelled:
        raise Broken("nothing starts", f"item {event.data['key']} begins after a control was accepted")
    if event.data["key"] in seen.finished:
        raise Broken("a finished item is never done again", f"item {event.data['key']} begins again")
    return seen


def _hear_result(seen: Seen, event: Told, scene: Scene) -> Seen:
    return seen._replace(finished=seen.finished | {event.data["key"]})


def _hear_request(seen: Seen, event: Told, scene: Scene) -> Seen:
    if event.data["control"] == "cancel":
        return seen._replace(is_cancelled=True)
    return seen._replace(
        is_paused=True, until=event.data["until"] or seen.until
    )  # a stronger pause keeps its end


def _hear_withdrawal(seen: Seen, event: Told, scene: Scene) -> Seen:
    if seen.is_cancelled:
        raise Broken("an accepted cancel ends cancelled", f"{event.type} after it")
    if event.data["actor"] == "timer" and seen.until is None:
        raise Broken("a pause ends when its user said", "the timer ends one that has no end")
    return seen._replace(is_paused=False, until=None)


def _hear_pause(seen: Seen, event: Told, scene: Scene) -> Seen:
    data = event.data
    if seen.is_cancelled:
        raise Broken("an accepted cancel ends cancelled", "the run is paused after it")
    is_acknowledged = scene.writer is not None and not data["unasked"]
    if is_acknowledged and not seen.is_paused:
        raise Broken("a withdrawn pause is not obeyed", "the run is paused though nobody asks for it")
    if scene.writer is not None and seen.holder != scene.writer:
        raise Broken("only the living pause a run", f"attempt {scene.writer} was settled already")
    until = seen.until if seen.is_paused else data["until"]
    holder = 0 if data["strength"] == "release" else seen.holder
    return seen._replace(is_paused=True, until=until, holder=holder)


def _hear_interruption(seen: Seen, event: Told, scene: Scene) -> Seen:
    if seen.is_cancelled:
        raise Broken("an accepted cancel ends cancelled", "the run is interrupted after it")
    if not seen.holder:
        raise Broken("only the living are interrupted", "nobody holds the run")
    return seen._replace(holder=0)


def _hear_end(seen: Seen, event: Told, scene: Scene) -> Seen:
    if seen.is_cancelled and event.type != "run.cancelled":
        raise Broken("an accepted cancel ends cancelled", f"{event.type} after it")
    if scene.writer is not None and event.type == "run.cancelled":
        raise Broken("cancelled means dead", "the job itself says so while it lives")
    if scene.writer is not None and not seen.holder:
        raise Broken("only the living end a run", f"{event.type} by an attempt that was settled")
    if event.type == "run.failed" and scene.writer is None and seen.is_paused:
        raise Broken("a paused run stays paused", "the server fails it")
    if event.type == "run.completed" and not seen.finished.issuperset(scene.items):
        raise Broken("completed means all items", f"finished are {sorted(seen.finished)}")
    if event.type == "run.cancelled" and seen.holder in scene.alive and event.data["confirmed_dead"]:
        raise Broken("cancelled means dead", f"attempt {seen.holder} is alive")
    return seen._replace(end=event.type, holder=0, is_paused=False, until=None)


_HEAR = {
    "run.started": _hear_start,
    "item.started": _hear_item,
    "item.finished": _hear_result,
    "control.requested": _hear_request,
    "control.withdrawn": _hear_withdrawal,
    "run.resumed": _hear_withdrawal,
    "run.paused": _hear_pause,
    "run.interrupted": _hear_interruption,
    **dict.fromkeys(ENDS, _hear_end),
}


def believe(seen: Seen, control: Control) -> None:
    """Take an answer that says the run is as asked for already.

    Raises:
        Broken: It is not.
    """
    is_true = {
        Control.PAUSE: seen.is_paused,
        Control.RESUME: not seen.is_paused,
        Control.CANCEL: seen.is_cancelled or seen.end == "run.cancelled",
    }[control]
    if not is_true:
        raise Broken("an answer is true", f"{control} is said to be done, the log said {seen}")


def hold_against(run: Run, has_lease: bool, seen: Seen) -> None:
    """Compare the run's state with what the log has said.

    Raises:
        Broken: They disagree.
    """
    for promise, is_kept in _promises(run, has_lease, seen):
        if not is_kept:
            raise Broken(promise, f"the run is {run.version}, the log said {seen}")


def _promises(run: Run, has_lease: bool, seen: Seen) -> list[tuple[str, bool]]:
    is_over = run.status.is_terminal
    is_active = run.status is Status.RUNNING or run.strength is Strength.HOLD
    is_cancelling = run.pending is Control.CANCEL
    is_obeyed = run.status is Status.PAUSED or run.pending is not None
    return [
        ("terminal is terminal", is_over == bool(seen.end)),
        ("nothing pends at the end", not (is_over and (run.pending or run.strength or run.until))),
        ("the active have a lease", is_active == has_lease),
        ("the active have a lease", is_active == bool(seen.holder)),
        ("an accepted cancel is kept", is_over or seen.is_cancelled == is_cancelling),
        ("an accepted pause is kept", is_over or not seen.is_paused or is_obeyed),
        ("a resumed run is not paused", is_over or seen.is_paused or is_cancelling or not is_obeyed),
        ("a pause ends when its user said", run.status is not Status.PAUSED or run.until == seen.until),
    ]
