"""Wall time for showing, and nothing else.

Order is `seq`, leases compare the database's clock, durations are monotonic;
a wall clock only ever fills the `time` of an event.
"""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> str:
    """The current time as ISO 8601 in UTC with milliseconds, e.g. `2026-01-31T09:30:00.125Z`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds_between(earlier: str, later: str) -> float:
    """Seconds from `earlier` to `later`, two times as `now()` writes them; never negative."""
    return max(0.0, (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds())
