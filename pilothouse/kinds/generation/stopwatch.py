"""How long a run has worked: the time in which at least one sample was in hand, pauses and waits left out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Stopwatch:
    """Runs while at least one thread works. Thread-safe.

    Args:
        before: Seconds of earlier attempts.
        clock: Seconds that never go back.
    """

    def __init__(self, before: float = 0.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seconds = before
        self._working = 0
        self._since = 0.0

    @contextmanager
    def working(self) -> Iterator[None]:
        """One thread works."""
        with self._lock:
            if not self._working:
                self._since = self._clock()
            self._working += 1
        try:
            yield
        finally:
            with self._lock:
                self._working -= 1
                if not self._working:
                    self._seconds += self._clock() - self._since

    @property
    def seconds(self) -> float:
        """Seconds so far."""
        with self._lock:
            return self._seconds + (self._clock() - self._since if self._working else 0.0)
