"""Bugs to plant: each is one slip that somebody might make, and the promise that it breaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from pilothouse.engine import control, scheduler
from pilothouse.engine.afterlife import afterlife
from pilothouse.engine.control import Ask, Effect, Situation
from pilothouse.engine.engine import Engine
from pilothouse.engine.hosts import Host
from pilothouse.engine.scheduler import Scheduler
from pilothouse.model import event as e
from pilothouse.model import fold, transition
from pilothouse.model.run import Control, Run, Status
from pilothouse.model.transition import Rule
from pilothouse.stores import admission, memory, shelf

Patch = pytest.MonkeyPatch
ANY: frozenset[Control | None] = frozenset({None, Control.PAUSE, Control.CANCEL})
BEGINS = frozenset({Status.QUEUED, Status.RUNNING})


@dataclass(frozen=True)
class Bug:
    """A bug, the promise that it breaks, and the scenario in which it is found."""

    name: str
    promise: str
    scenario: str
    plant: Callable[[Patch], None]

    def __str__(self) -> str:
        return self.name


def change_rules(patch: Patch, event: str, **changes: Any) -> None:
    """Change every row of an event."""
    rows = tuple(replace(rule, **changes) for rule in transition.RULES if rule.event == event)
    patch.setitem(transition._ROWS, event, rows)


def forget_attempts(patch: Patch) -> None:
    for module in (admission, memory):
        patch.setattr(module, "fence", lambda run, attempt: None)


def settle_as(change: Callable[[Run, list[e.Body]], list[e.Body]]) -> Callable[[Patch], None]:
    """An afterlife whose events are changed."""

    def plant(patch: Patch) -> None:
        real = afterlife

        def wrong(run: Run, *rest: Any) -> list[e.Body]:
            return change(run, real(run, *rest))

        patch.setattr(scheduler, "afterlife", wrong)

    return plant


def drop_pause(run: Run, bodies: list[e.Body]) -> list[e.Body]:
    return [body for body in bodies if not isinstance(body, e.RunPaused)]


def queue_cancelled(run: Run, bodies: list[e.Body]) -> list[e.Body]:
    return [e.RunInterrupted(reason="x")] if run.pending is Control.CANCEL else bodies


def fail_paused(run: Run, bodies: list[e.Body]) -> list[e.Body]:
    return [e.RunFailed(message="x")] if drop_pause(run, bodies) != bodies else bodies


def call_dead(run: Run, bodies: list[e.Body]) -> list[e.Body]:
    return [
        body.model_copy(update={"confirmed_dead": True}) if isinstance(body, e.RunCancelled) else body
        for body in bodies
    ]


def answer_wrongly(patch: Patch, situation: Situation, ask: Ask, effect: Effect) -> None:
    patch.setitem(control.TABLE, (situation, ask), effect)


def claim_the_same_attempt(patch: Patch) -> None:
    async def orders(self: Scheduler, host: Host, slots: int, turn: int) -> tuple[list[Run], float]:
        for run in await self._engine.store.waiting((), slots):
            await self._engine.append(run.id, e.RunStarted(attempt=max(run.attempt, 1), host=host.name))
        return [], 0.0

    patch.setattr(Scheduler, "_orders", orders)


def decide_on_nothing(patch: Patch) -> None:
    real = Engine.append

    async def append(self: Engine, run_id: str, *bodies: e.Body, **more: Any) -> Any:
        return await real(self, run_id, *bodies, **more | {"expected": None})

    patch.setattr(Engine, "append", append)


def forget_the_turn(patch: Patch) -> None:
    patch.setattr(Run, "version", property(lambda run: f"{run.attempt}-{run.status}-{run.pending}"))


def settle_the_released(patch: Patch) -> None:
    real = Run.is_active
    patch.setattr(admission, "has_lease", real.__get__)
    patch.setattr(Run, "is_active", property(lambda run: run.status in (Status.RUNNING, Status.PAUSED)))
    change_rules(patch, "run.interrupted", need=None)


def keep_the_request(patch: Patch) -> None:
    real = fold._CHANGES[e.RunResumed]

    def resumed(run: Run, body: Any, time: str) -> fold.Changes:
        return {name: value for name, value in real(run, body, time).items() if name != "request"}

    changes: dict[Any, Any] = fold._CHANGES
    patch.setitem(changes, e.RunResumed, resumed)


def keep_what_pends(patch: Patch) -> None:
    real = fold._clock

    def clock(run: Run, status: Status, time: str) -> dict[str, Any]:
        return {name: value for name, value in real(run, status, time).items() if name != "request"}

    patch.setattr(fold, "_clock", clock)


def wait_for_nobody(patch: Patch) -> None:
    answer_wrongly(patch, Situation.RELEASED, Ask.CANCEL, Effect.REQUESTED)
    live = frozenset({Status.RUNNING, Status.PAUSED})
    change_rules(patch, "control.requested", sources=live, need=None)


def count_in_flight(patch: Patch) -> None:
    patch.setattr(shelf, "finished", lambda items, keys: {key for key in keys if key in items})


def admit_late_pauses(patch: Patch) -> None:
    rows: tuple[Rule, ...] = transition._ROWS["run.paused"]
    patch.setitem(transition._ROWS, "run.paused", tuple(replace(rule, need=None) for rule in rows))


def pause_the_settled(patch: Patch) -> None:
    rows = transition._ROWS["run.paused"]
    loose = tuple(replace(r, need=None) if r.sources == {Status.QUEUED} else r for r in rows)
    patch.setitem(transition._ROWS, "run.paused", loose)


def outrank_cancel(patch: Patch) -> None:
    answer_wrongly(patch, Situation.PAUSING, Ask.CANCEL, Effect.UNCHANGED)


def hold_on(patch: Patch) -> None:
    answer_wrongly(patch, Situation.HELD, Ask.RESUME, Effect.UNCHANGED)


def complete_cancelled(patch: Patch) -> None:
    change_rules(patch, "run.completed", pendings=ANY)


def fail_cancelled(patch: Patch) -> None:
    change_rules(patch, "run.failed", pendings=ANY)


def fail_settled(patch: Patch) -> None:
    change_rules(patch, "run.failed", need=None)


def admit_every_claim(patch: Patch) -> None:
    change_rules(patch, "run.started", sources=BEGINS, need=None)


def give_leave(patch: Patch) -> None:
    patch.setattr(fold, "check", transition.rule_for)


def lease_the_released(patch: Patch) -> None:
    patch.setattr(admission, "has_lease", lambda run: run.status in (Status.RUNNING, Status.PAUSED))


CRASH = "one control and a crash, with two hosts that claim"
TWICE = "two controls"
THRICE = "three controls, one after the other"
LAPSE = "two controls and a lease that runs out under a live job"
SILENT = "a cancel, a crash and a lease that runs out"
TIMER = "pauses with an end, and the timer"
FAILING = "a job that fails, a crash and a host that stops"
UNSTEERED = "two crashes, a lease that runs out, two hosts, and nobody who steers"

# The slip, the promise that it breaks, where it is found, and how it is planted.
BUGS = tuple(
    Bug(*row)
    for row in (
        ("the fence ignores the attempt", "one attempt writes", UNSTEERED, forget_attempts),
        ("a pending pause dies with its job", "an accepted pause is kept", CRASH, settle_as(drop_pause)),
        ("a cancelled run is queued again", "there is always a way out", CRASH, settle_as(queue_cancelled)),
        ("a paused run fails with its job", "a paused run stays paused", CRASH, settle_as(fail_paused)),
        ("the reaper calls a silent job dead", "cancelled means dead", SILENT, settle_as(call_dead)),
        ("a cancel does not outrank a pause", "an answer is true", TWICE, outrank_cancel),
        ("a held run does not resume", "an answer is true", TWICE, hold_on),
        ("a withdrawn pause is obeyed", "a withdrawn pause is not obeyed", TWICE, admit_late_pauses),
        ("a settled job pauses its run", "a withdrawn pause is not obeyed", LAPSE, pause_the_settled),
        ("a cancelled run completes", "an accepted cancel ends cancelled", CRASH, complete_cancelled),
        ("a cancelled run fails", "an accepted cancel ends cancelled", FAILING, fail_cancelled),
        ("a settled job fails its run", "only the living end a run", FAILING, fail_settled),
        ("a claim takes no new attempt", "there is always a way out", CRASH, claim_the_same_attempt),
        ("two claimers are admitted", "one attempt is alive", CRASH, admit_every_claim),
        ("leave is given during a pause", "nothing starts", CRASH, give_leave),
        ("appends name no version", "an accepted pause is kept", CRASH, decide_on_nothing),
        ("a version comes back", "a pause ends when its user said", TIMER, forget_the_turn),
        ("a released pause is settled", "only the living are interrupted", CRASH, settle_the_released),
        ("a resume leaves the request", "a resumed run is not paused", THRICE, keep_the_request),
        ("what pends survives the end", "nothing pends at the end", CRASH, keep_what_pends),
        ("a released run is asked to cancel", "there is always a way out", TWICE, wait_for_nobody),
        ("what is in flight counts as finished", "completed means all items", CRASH, count_in_flight),
        ("a released pause keeps its lease", "the active have a lease", CRASH, lease_the_released),
    )
)
