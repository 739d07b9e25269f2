"""How fast a provider is asked: a rate limit shared by threads, and waits between tries."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime

FIRST_WAIT = 0.5
LONGEST_WAIT = 30.0


class RateLimit:
    """At most so many requests a minute, evenly spaced. Thread-safe.

    Args:
        per_minute: None: as many as one likes.
        clock: Seconds that never go back.
        wait: Waits for seconds.
    """

    def __init__(
        self,
        per_minute: float | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._spacing = 60.0 / per_minute if per_minute else 0.0
        self._clock = clock
        self._wait = wait
        self._lock = threading.Lock()
        self._next = 0.0

    def take_turn(self) -> None:
        """Wait until the next request may go out."""
        if not self._spacing:
            return
        with self._lock:
            now = self._clock()
            turn = max(self._next, now)
            self._next = turn + self._spacing
        if turn > now:
            self._wait(turn - now)


def back_off(attempt: int, retry_after: float | None, dice: random.Random) -> float:
    """Seconds to wait after the n-th failed try.

    Exponential with full jitter, so that many threads do not come back together
    (Brooker, "Exponential backoff and jitter", AWS Architecture Blog, 2015). What the
    provider asks for is the least.
    """
    longest = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (attempt - 1))
    jitter = dice.uniform(0, longest)
    return jitter if retry_after is None else retry_after + jitter / 4


def read_retry_after(value: str | None, now: float) -> float | None:
    """The `Retry-After` header, seconds or a date, as seconds from `now` (Unix time)."""
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        return None
