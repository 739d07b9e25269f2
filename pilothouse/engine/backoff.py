"""How long a crashed run still has to wait before its next attempt.

Counted on this server's monotonic clock from the moment it sees the crash, so
wall clocks do not matter. Another server, or this one after a restart, counts
anew: a run may wait a little longer, and never waits for ever.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from pilothouse.model.run import Run


class Backoff:
    """Remembers when it first saw each waiting run.

    Args:
        now: Monotonic seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._seen: dict[tuple[str, int], float] = {}

    def ready(self, runs: Iterable[Run]) -> tuple[list[Run], float | None]:
        """Those of all queued runs whose wait is over, and the seconds until the next one's is."""
        before, self._seen = self._seen, {}
        now = self._now()
        ready: list[Run] = []
        soonest: float | None = None
        for run in runs:
            if not run.wait_seconds:
                ready.append(run)
                continue
            place = (run.id, run.crashes)
            self._seen[place] = before.get(place, now)
            left = self._seen[place] + run.wait_seconds - now
            if left <= 0:
                ready.append(run)
            elif soonest is None or left < soonest:
                soonest = left
        return ready, soonest
