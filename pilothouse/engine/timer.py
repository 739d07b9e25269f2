"""Ends pauses whose time has come, and releases holds that last.

A pause that is to end at a time says so as a wall clock does. The rest of it is
measured once, when this server first sees the pause, and then counted on the
monotonic clock, so a clock that jumps meanwhile ends no pause early.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from pilothouse import clock
from pilothouse.engine.control import Wish
from pilothouse.engine.engine import Engine
from pilothouse.errors import Conflict, NotFound
from pilothouse.model.run import Control, Run, Status, Strength

ACTOR = "timer"
Pause = tuple[str, int, float, str | None]


class Timer:
    """Looks at all paused runs, again and again.

    Args:
        engine: The engine.
        release_seconds: How long a process may wait in a pause before it is asked to leave.
        monotonic: Seconds that never jump.
        wall: The time as ISO 8601, as `until` has it.
    """

    def __init__(
        self,
        engine: Engine,
        release_seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], str] = clock.now,
    ) -> None:
        self._engine = engine
        self._release_seconds = release_seconds
        self._monotonic = monotonic
        self._wall = wall
        self._seen: dict[Pause, tuple[float, float | None]] = {}

    async def look(self) -> None:
        """Resume and release what is due."""
        paused = await self._engine.all_with((Status.PAUSED,))
        now = self._monotonic()
        before = self._seen
        self._seen = {_pause(run): before.get(_pause(run)) or (now, self._end(run, now)) for run in paused}
        for run in paused:
            since, end = self._seen[_pause(run)]
            if end is not None and now >= end:
                wish = Wish(Control.RESUME, ACTOR, "the pause was to end now", version=run.version)
            elif self._holds(run) and now - since >= self._release_seconds:
                wish = Wish(
                    Control.PAUSE, ACTOR, "held for long", strength=Strength.RELEASE, version=run.version
                )
            else:
                continue
            try:
                await self._engine.control(run.id, wish)
            except (Conflict, NotFound):
                continue  # it moved on: the next look sees how

    def _end(self, run: Run, now: float) -> float | None:
        """When the pause ends, on the monotonic clock."""
        if run.until is None:
            return None
        return now + clock.seconds_between(self._wall(), run.until)

    def _holds(self, run: Run) -> bool:
        """True for a process that waits and could leave."""
        is_held = run.strength is Strength.HOLD and run.pending is None
        return is_held and self._engine.can_release(run)


def _pause(run: Run) -> Pause:
    """What tells one pause of a run from the next."""
    return run.id, run.attempt, run.active_seconds, run.until
