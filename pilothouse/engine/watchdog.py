"""Notices runs that are alive and do not move, and says when they move again.

Movement is an item, a phase, a metric or progress (`Run.moved`). The time
without it is counted on this server's monotonic clock, so it begins anew when
the server does, and no clock that jumps makes a run stuck.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pilothouse.engine.control import Wish
from pilothouse.engine.engine import Engine
from pilothouse.errors import InvalidControl, PilothouseError
from pilothouse.model import event as e
from pilothouse.model.run import Control, Run, Status

ACTOR = "watchdog"
IDLE_CPU = 0.1
ALIVE = "the process is alive"
Policy = Literal["warn", "dump", "pause", "cancel"]
Cause = Callable[[Run], str]
Dump = Callable[[Run], None]


@dataclass(frozen=True, slots=True)
class Stuck:
    """A run that does not move.

    Attributes:
        seconds: How long it has not moved, as far as this server knows.
        limit: Seconds after which it counts as stuck.
    """

    run: Run
    seconds: float
    limit: float
    cause: str


class Watchdog:
    """Looks at all running runs, again and again.

    Args:
        engine: The engine.
        cause: Says of a stuck run what is known of its process.
        dump: Asks for a stack of a run's process.
        policy: What to do with a stuck run beside saying so.
        monotonic: Seconds that never jump.
    """

    def __init__(
        self,
        engine: Engine,
        cause: Cause,
        dump: Dump | None = None,
        policy: Policy = "warn",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._cause = cause
        self._dump = dump
        self._policy = policy
        self._monotonic = monotonic
        self._seen: dict[tuple[str, int, int], float] = {}

    async def look(self) -> None:
        """Tell of every run that has stood for too long, and of every one that moves again."""
        running = await self._engine.all_with((Status.RUNNING,))
        now = self._monotonic()
        before, self._seen = self._seen, {}
        for run in running:
            place = (run.id, run.attempt, run.moved)
            is_known = place in before
            since = self._seen[place] = before.get(place, now)
            try:
                if run.stuck and not is_known and self._was_seen(before, run):
                    await self._engine.append(run.id, e.RunRecovered(), attempt=run.attempt)
                elif not run.stuck and now - since >= self._engine.stuck_after(run):
                    await self._tell(run, now - since)
            except PilothouseError:
                continue  # it moved on: the next look sees how

    def stuck(self, run: Run) -> Stuck:
        """What there is to say of a run that is stuck."""
        since = self._seen.get((run.id, run.attempt, run.moved))
        seconds = 0.0 if since is None else self._monotonic() - since
        limit = self._engine.stuck_after(run)
        cause = self._cause(run)
        if cause == ALIVE and run.stuck_cause:  # it was better known then
            cause = run.stuck_cause
        return Stuck(run, max(seconds, limit), limit, cause)

    async def _tell(self, run: Run, seconds: float) -> None:
        """Say that it is stuck, and steer it: in one append, since it is said once."""
        said = e.RunStuck(seconds=round(seconds, 1), cause=self._cause(run))
        steered = await self._steered(run)
        await self._engine.append(run.id, said, *steered, attempt=run.attempt, expected=run.version)
        if self._policy == "dump" and self._dump is not None:
            self._dump(run)

    async def _steered(self, run: Run) -> list[e.Body]:
        """What the policy writes; nothing where a user has asked for as much already."""
        if self._policy not in ("pause", "cancel"):
            return []
        wish = Wish(Control(self._policy), ACTOR, "it was stuck", version=run.version)
        try:
            _, body = await self._engine.foresee(run.id, wish)
        except InvalidControl:
            return []
        return [] if body is None else [body]

    @staticmethod
    def _was_seen(before: dict[tuple[str, int, int], float], run: Run) -> bool:
        """True when this run stood elsewhere at the last look; after a restart nothing is known."""
        return any(run_id == run.id and attempt == run.attempt for run_id, attempt, _ in before)


def words_for(cpu: float | None, silent_seconds: float | None) -> str:
    """The cause of a stuck run in words.

    Args:
        cpu: Share of one core its processes use; None: unknown.
        silent_seconds: How long its host has not been heard of; None: it has, lately.
    """
    if silent_seconds is not None:
        return f"its host has not been heard of for {silent_seconds:.0f} s"
    if cpu is None:
        return ALIVE
    return f"{ALIVE} and {'idle' if cpu < IDLE_CPU else 'busy'} ({cpu:.0%} of a core)"
