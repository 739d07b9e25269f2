"""What this server remembers of the hosts between their calls: enough to serve them, never a truth about a run."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from pilothouse.model.run import Run

SILENT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One execution of one run, as a host knows it."""

    run_id: str
    number: int


@dataclass(frozen=True, slots=True)
class Stop:
    """An attempt that a host must end; `force` skips the gentle steps."""

    attempt: Attempt
    force: bool


@dataclass(slots=True)
class Host:
    """A host, as its last calls show it.

    Attributes:
        slots: Room for further runs.
        running: Attempts that live there.
        loads: Processor use of each, 1.0 for one core; None when it is not known.
        vouched: When it last prolonged the lease of an attempt.
        told: When it was told to end an attempt, by force or not.
        dumps: Runs whose stack is wanted, and of which it was not told yet.
        seen: When it called last, on the event loop's clock.
        turn: Counts its claims; only the newest is served.
        is_leaving: It stops, and what ends there now has not crashed.
        bell: Wakes the claim that waits.
    """

    slots: int = 0
    running: tuple[Attempt, ...] = ()
    loads: dict[Attempt, float | None] = field(default_factory=dict)
    vouched: dict[Attempt, float] = field(default_factory=dict)
    told: dict[tuple[Attempt, bool], float] = field(default_factory=dict)
    dumps: set[str] = field(default_factory=set)
    seen: float = 0.0
    turn: int = 0
    is_leaving: bool = False
    bell: asyncio.Event | None = None

    def runs(self, run: Run) -> bool:
        """Whether the run's attempt lived here at the last call."""
        return Attempt(run.id, run.attempt) in self.running

    def is_silent(self, now: float) -> bool:
        """Whether it has not called for so long that it counts as gone."""
        return self.is_leaving or now - self.seen > SILENT_SECONDS

    def want_dump(self, run_id: str) -> None:
        """Note that a stack is wanted, and wake the claim that waits."""
        self.dumps.add(run_id)
        if self.bell:
            self.bell.set()

    def take_dumps(self) -> list[str]:
        """The runs whose stack is wanted; they are wanted no more."""
        dumps, self.dumps = sorted(self.dumps), set()
        return dumps
