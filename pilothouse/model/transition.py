"""The protocol of a run as data: which event is admitted where, who says it, and where it leads.

One row each, in the order of a run's life. The fold refuses whatever no row
admits; docs/concepts/runs-and-attempts.md shows the same table, and a model
check explores every order in which users, hosts, jobs and crashes can meet it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pilothouse.errors import InvalidTransition
from pilothouse.model.run import LIVE, TERMINAL, Control, Run, Status, Strength

Pending = Control | None

_QUEUED = frozenset({Status.QUEUED})
_RUNNING = frozenset({Status.RUNNING})
_PAUSED = frozenset({Status.PAUSED})
_ACTIVE = _RUNNING | _PAUSED
_NOTHING = frozenset[Pending]({None})
_PAUSE = frozenset[Pending]({Control.PAUSE})
_CANCEL = frozenset[Pending]({Control.CANCEL})
_UNCANCELLED = _NOTHING | _PAUSE
_ANY = _UNCANCELLED | _CANCEL


@dataclass(frozen=True, slots=True)
class Need:
    """What a row asks beyond status and pending control: in words, and as a test of run and body."""

    words: str
    holds: Callable[[Run, Any], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table.

    Attributes:
        event: Type of the event.
        sources: Statuses in which it is admitted.
        pendings: Pending controls with which it is admitted.
        target: The status it leads to; None: the status stays.
        who: Who says it.
        need: What else must hold.
    """

    event: str
    sources: frozenset[Status]
    pendings: frozenset[Pending]
    target: Status | None
    who: str
    need: Need | None = None

    def admits(self, run: Run, body: Any) -> bool:
        """True when the row fits the run and what is said of it."""
        return (
            run.status in self.sources
            and run.pending in self.pendings
            and (self.need is None or self.need.holds(run, body))
        )


_NEXT = Need("its attempt is the next one", lambda run, body: body.attempt == run.attempt + 1)
_WANTED = Need(
    "a user asks, or the pause outlives an attempt",
    lambda run, body: body.unclean or (body.actor is not None and not body.unasked),
)
_UNASKED = Need("the job pauses itself", lambda run, body: body.unasked)
_HELD = Need(
    "it is held, and asked to release",
    lambda run, body: run.strength is Strength.HOLD and body.strength is Strength.RELEASE,
)
_FOR_PAUSE = Need("of a pause", lambda run, body: body.control is Control.PAUSE)
_FOR_RELEASE = Need(
    "of a release, while it is held",
    lambda run, body: (
        body.control is Control.PAUSE and body.strength is Strength.RELEASE and run.strength is Strength.HOLD
    ),
)
_ALIVE = Need("a process holds it", lambda run, body: run.strength is not Strength.RELEASE)
_LET_GO = Need("no process holds it", lambda run, body: run.strength is Strength.RELEASE)
_BY_HAND = Need("its own process made it, and is stopped by hand", lambda run, body: run.attached)
_FOR_HELD_CANCEL = Need(
    "of a cancel, while it is held",
    lambda run, body: body.control is Control.CANCEL and run.strength is Strength.HOLD,
)
_FOR_CANCEL = Need("of a cancel", lambda run, body: body.control is Control.CANCEL)
_BY_FORCE = Need("of a cancel, by force", lambda run, body: body.control is Control.CANCEL and body.force)
_NOT_STUCK = Need("it was not stuck", lambda run, body: not run.stuck)
_STUCK = Need("it was stuck", lambda run, body: run.stuck)

RULES: tuple[Rule, ...] = (
    Rule("run.started", _QUEUED, _NOTHING, Status.RUNNING, "scheduler", _NEXT),
    Rule("control.requested", _RUNNING, _UNCANCELLED, None, "user", _FOR_PAUSE),
    Rule("control.requested", _PAUSED, _UNCANCELLED, None, "user, timer", _FOR_RELEASE),
    Rule("control.requested", _RUNNING, _UNCANCELLED, None, "user", _FOR_CANCEL),
    Rule("control.requested", _PAUSED, _UNCANCELLED, None, "user", _FOR_HELD_CANCEL),
    Rule("control.requested", _ACTIVE, _CANCEL, None, "user", _BY_FORCE),
    Rule("control.withdrawn", _RUNNING, _PAUSE, None, "user"),
    Rule("run.paused", _QUEUED, _NOTHING, Status.PAUSED, "user, host, reaper", _WANTED),
    Rule("run.paused", _RUNNING, _PAUSE, Status.PAUSED, "job"),
    Rule("run.paused", _RUNNING, _NOTHING, Status.PAUSED, "job", _UNASKED),
    Rule("run.paused", _PAUSED, _PAUSE, Status.PAUSED, "job", _HELD),
    Rule("run.resumed", _PAUSED, _UNCANCELLED, Status.RUNNING, "user, timer", _ALIVE),
    Rule("run.resumed", _PAUSED, _NOTHING, Status.QUEUED, "user, timer", _LET_GO),
    Rule("run.interrupted", _ACTIVE, _UNCANCELLED, Status.QUEUED, "host, reaper", _ALIVE),
    Rule("run.completed", _RUNNING, _UNCANCELLED, Status.COMPLETED, "job"),
    Rule("run.failed", _ACTIVE, _UNCANCELLED, Status.FAILED, "job, host, reaper", _ALIVE),
    Rule("run.cancelled", _QUEUED, _NOTHING, Status.CANCELLED, "user"),
    Rule("run.cancelled", _PAUSED, _NOTHING, Status.CANCELLED, "user", _LET_GO),
    Rule("run.cancelled", _ACTIVE, _CANCEL, Status.CANCELLED, "host, reaper"),
    Rule("run.cancelled", _ACTIVE, _UNCANCELLED, Status.CANCELLED, "job", _BY_HAND),
    Rule("run.stuck", _RUNNING, _ANY, None, "watchdog", _NOT_STUCK),
    Rule("run.recovered", _RUNNING, _ANY, None, "watchdog", _STUCK),
    Rule("run.cancel_overdue", _ACTIVE, _CANCEL, None, "host, reaper"),
    Rule("params.changed", LIVE, _ANY, None, "user"),
)

# The events with which a run ends.
LAST_WORDS = frozenset(rule.event for rule in RULES if rule.target in TERMINAL)

_ROWS: dict[str, tuple[Rule, ...]] = {
    name: tuple(rule for rule in RULES if rule.event == name) for name in {rule.event for rule in RULES}
}


def rule_for(run: Run, body: Any) -> Rule | None:
    """The row that admits a body; None for events that move nothing and are always admitted.

    Raises:
        InvalidTransition: Rows speak of this event, and none admits it; with the reason in words.
    """
    rows = _ROWS.get(body.type)
    if rows is None:
        return None
    for rule in rows:
        if rule.admits(run, body):
            return rule
    raise InvalidTransition(_reason(run, body, rows))


def _reason(run: Run, body: Any, rows: tuple[Rule, ...]) -> str:
    """Why no row fits: the status, else the pending control, else what else is needed."""
    fitting = [rule for rule in rows if run.status in rule.sources]
    if not fitting:
        return f"{body.type} is not possible for a run that is {run.status}"
    fitting = [rule for rule in fitting if run.pending in rule.pendings]
    if run.pending is Control.CANCEL or (not fitting and run.pending):
        return f"{body.type} is not possible while a {run.pending} is pending"
    if body.type == "run.paused":
        return "nobody asked this run to pause, or the pause was withdrawn"
    if body.type == "run.started":
        return f"attempt {body.attempt} cannot follow attempt {run.attempt}"
    needs = " or ".join(rule.need.words for rule in fitting if rule.need)
    return f"{body.type} is not possible now" + (f": only {needs}" if needs else "")
