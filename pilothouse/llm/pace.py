"""How fast a provider is asked: a rate limit shared by threads and processes, and waits between tries."""

from __future__ import annotations

import fcntl
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import IO

FIRST_WAIT = 0.5
LONGEST_WAIT = 30.0
RESTART_SECONDS = 60.0  # a wall clock that is set by less is no restart


@dataclass(slots=True)
class _Pace:
    """Where a provider's requests stand.

    Attributes:
        turn: When the next request may go out.
        owed: When the tokens so far have had their time.
        answers, tokens: So far.
        zero: When the clock stood at 0, in Unix time: another one after a restart of the machine.
    """

    turn: float = 0.0
    owed: float = 0.0
    answers: int = 0
    tokens: int = 0
    zero: float = 0.0


class RateLimit:
    """At most so many requests and tokens a minute, evenly spaced. Thread-safe.

    What a request costs in tokens is known only afterwards, so the next turn is
    reckoned with the mean of the requests so far and put right by each answer.
    Nobody books a turn ahead: who gives up while waiting takes none from others.

    Args:
        per_minute: Requests; None: as many as one likes.
        tokens_per_minute: Tokens in and out; None: as many as one likes.
        file: Processes that name the same one share the limit. A limit that one of them does
            not have holds for the others only. None: this object's own.
        clock: Seconds that never go back, the same for all processes of the machine.
        wait: Waits for seconds.
    """

    def __init__(
        self,
        per_minute: float | None,
        tokens_per_minute: float | None = None,
        *,
        file: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._spacing = 60.0 / per_minute if per_minute else 0.0
        self._token_seconds = 60.0 / tokens_per_minute if tokens_per_minute else 0.0
        self._file = file
        self._clock = clock
        self._wait = wait
        self._line = threading.Lock()
        self._lock = threading.Lock()
        self._own = _Pace()

    def take_turn(self) -> float:
        """Wait until the next request may go out; returns the seconds that its tokens are reckoned to take."""
        if not (self._spacing or self._token_seconds):
            return 0.0
        with self._line:
            while True:
                with self._pace() as pace:
                    now, turn = self._clock(), max(pace.turn, pace.owed)
                    if turn <= now:
                        return self._take(pace, turn, now)
                self._wait(turn - now)

    def _take(self, pace: _Pace, turn: float, now: float) -> float:
        """Take the turn; one that was slept over a little puts off none of the next."""
        taken = turn if now - turn < self._spacing else now
        pace.turn = taken + self._spacing
        reckoned = pace.tokens / pace.answers * self._token_seconds if pace.answers else 0.0
        pace.owed = max(pace.owed, now) + reckoned
        return reckoned

    def spend(self, tokens: int, reckoned: float) -> None:
        """Tell what an answer has cost; one that was dearer than its turn `reckoned` puts the next turn off."""
        if not self._token_seconds:
            return
        with self._pace() as pace:
            pace.owed += tokens * self._token_seconds - reckoned
            pace.answers += 1
            pace.tokens += tokens

    @contextmanager
    def _pace(self) -> Iterator[_Pace]:
        """The state, for one at a time; what is changed is kept."""
        with self._lock:
            if self._file is None:
                yield self._own
                return
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a+", encoding="utf-8") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                pace = _read(file, time.time() - self._clock())
                yield pace
                file.seek(0)
                file.truncate()
                file.write(json.dumps(asdict(pace)))


def _read(file: IO[str], zero: float) -> _Pace:
    """What a file says; one that is empty, broken, or of before the machine's restart says nothing."""
    file.seek(0)
    try:
        pace = _Pace(**json.loads(file.read()))
        is_of_now = abs(pace.zero - zero) < RESTART_SECONDS
    except (ValueError, TypeError):
        is_of_now = False
    return pace if is_of_now else _Pace(zero=zero)


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
