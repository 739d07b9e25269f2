"""What goes out to this server's watchers, as numbers: how much, and how soon."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
MINUTE = 60
KEPT_DELAYS = 1000


class Traffic:
    """Counts of one server since it started.

    Attributes:
        browsers: How many browsers' streams are open.
        events: Events that were read for watchers, each once however many there were.
        deliveries: The same for each watcher.
        delay_counts: How many times news took up to each of `BOUNDS` in seconds, and longer.
        delay_seconds: The sum of these times.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.browsers = 0
        self.events = 0
        self.deliveries = 0
        self.delay_counts = [0] * (len(BOUNDS) + 1)
        self.delay_seconds = 0.0
        self._now = now
        self._seconds: deque[tuple[int, int]] = deque(maxlen=MINUTE)
        self._delays: deque[float] = deque(maxlen=KEPT_DELAYS)

    def count(self, events: int, watchers: int, seconds: float) -> None:
        """News of a run was written to whoever waited for it.

        Args:
            events: How many.
            watchers: Of the run.
            seconds: Since the first of them was appended, by the wall clocks of both servers.
        """
        seconds = max(0.0, seconds)
        self.events += events
        self.deliveries += events * watchers
        self.delay_counts[bisect_left(BOUNDS, seconds)] += 1
        self.delay_seconds += seconds
        self._delays.append(seconds)
        second = int(self._now())
        if self._seconds and self._seconds[-1][0] == second:
            events += self._seconds.pop()[1]
        self._seconds.append((second, events))

    @property
    def events_per_second(self) -> float:
        """Events of watched runs in the last minute, for each second of it."""
        since = self._now() - MINUTE
        return sum(events for second, events in self._seconds if second > since) / MINUTE

    def delay(self, share: float) -> float | None:
        """Seconds within which that share of the newest news was written; None while there was none."""
        ordered = sorted(self._delays)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else None
