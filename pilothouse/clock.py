"""Wall time for showing, and nothing else.

Order is `seq`, leases compare the database's clock, durations are monotonic;
a wall clock only ever fills the `time` of an event. It is read once, when the
process starts, and goes on as the steady clock does: a wall clock that is set,
or jumps, moves no time in a log and no duration between two of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime


def steady() -> float:
    """Seconds that only ever go on, the time that a machine is suspended included where it counts that."""
    boot: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class Clock:
    """A wall clock that does not jump."""

    def __init__(
        self, wall: Callable[[], float] = time.time, steady_seconds: Callable[[], float] = steady
    ) -> None:
        self._steady = steady_seconds
        self._epoch = wall() - steady_seconds()

    def now(self, more_seconds: float = 0.0) -> str:
        """The time, or the one so many seconds later, as ISO 8601 in UTC with milliseconds."""
        moment = datetime.fromtimestamp(self._epoch + self._steady() + more_seconds, UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


_CLOCK = Clock()


def now() -> str:
    """The current time as ISO 8601 in UTC with milliseconds, e.g. `2026-01-31T09:30:00.125Z`."""
    return _CLOCK.now()


def later(seconds: float) -> str:
    """The time so many seconds from now, as `now` writes it."""
    return _CLOCK.now(seconds)


def is_time(text: str) -> bool:
    """True for what `seconds_between` can read: ISO 8601 with its offset."""
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def seconds_between(earlier: str, later: str) -> float:
    """Seconds from `earlier` to `later`, two times as `now()` writes them; never negative."""
    return max(0.0, (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds())
