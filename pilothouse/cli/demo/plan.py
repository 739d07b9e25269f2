"""A plan: steps, what each needs, and what becomes of a step when one before it fails.

Pure. Nobody here talks to a server: a conductor tells how the steps fare, and the
plan answers what is due and what can no longer come.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Runs = Mapping[str, str]


class Fate(StrEnum):
    """How a step fares."""

    WAITING = "waiting"
    RUNNING = "running"
    READY = "ready"  # a service that answers, and stays
    DONE = "done"
    FAILED = "failed"
    LEFT_OUT = "left out"


MET = frozenset({Fate.READY, Fate.DONE})
LOST = frozenset({Fate.FAILED, Fate.LEFT_OUT})
OPEN = frozenset({Fate.WAITING, Fate.RUNNING})
Fates = Mapping[str, Fate]


@dataclass(frozen=True, slots=True)
class Step:
    """One run of a plan.

    Attributes:
        name: What other steps call it.
        kind: The kind of its run.
        title: The name of its run.
        params: Makes the run's params from the ids of the runs of earlier steps, by step.
        needs: Steps that must have ended well, or be ready, before it starts.
        after: Steps that must not be waiting or running any more; how they ended does not matter.
        answers: For a service: the address that answers 2xx once it is ready.
    """

    name: str
    kind: str
    title: str
    params: Callable[[Runs], dict[str, Any]]
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    answers: str | None = None


class Plan:
    """Steps in an order in which each comes after what it needs.

    Raises:
        ValueError: A step needs one that is not before it, or a name is there twice.
    """

    def __init__(self, steps: Sequence[Step]) -> None:
        known: set[str] = set()
        for step in steps:
            if step.name in known:
                raise ValueError(f"the step {step.name} is there twice")
            if unknown := {*step.needs, *step.after} - known:
                raise ValueError(
                    f"{step.name} waits for {', '.join(sorted(unknown))}, which is not before it"
                )
            known.add(step.name)
        self.steps = tuple(steps)

    def due(self, fates: Fates) -> list[Step]:
        """The steps that wait for nothing any more."""
        return [
            step
            for step in self._waiting(fates)
            if all(fates[need] in MET for need in step.needs)
            and not any(fates[other] in OPEN for other in step.after)
        ]

    def hopeless(self, fates: Fates) -> list[tuple[Step, Step]]:
        """The waiting steps that can no longer come, each with the one that it lacks."""
        by_name = {step.name: step for step in self.steps}
        lacking = [
            (step, next((by_name[need] for need in step.needs if fates[need] in LOST), None))
            for step in self._waiting(fates)
        ]
        return [(step, lacked) for step, lacked in lacking if lacked is not None]

    def is_over(self, fates: Fates) -> bool:
        """Whether nothing more will start or end by itself."""
        return not any(fates[step.name] in OPEN for step in self.steps)

    def bound(self) -> frozenset[str]:
        """Services, and all that need one: they end with who carries out the plan."""
        found: set[str] = set()
        for step in self.steps:
            if step.answers or found & set(step.needs):
                found.add(step.name)
        return frozenset(found)

    def _waiting(self, fates: Fates) -> list[Step]:
        return [step for step in self.steps if fates[step.name] is Fate.WAITING]
