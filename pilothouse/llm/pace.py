"""How fast a provider is asked: a rate limit shared by threads and processes, and waits between tries."""

from __future__ import annotations

import fcntl
import json
import math
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, astuple, dataclass, replace
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import IO

FIRST_WAIT = 0.5
LONGEST_WAIT = 30.0
RESTART_SECONDS = 60.0  # a wall clock that is set by less is no restart
WINDOW_SECONDS = 60.0
LOOK_SECONDS = 10.0
FILE_BYTES = 512


@dataclass(slots=True)
class _Pace:
    """Where a provider's requests stand.

    Attributes:
        turn: When the next request may go out; never earlier than it was before.
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
    reckoned with the mean of the requests so far, before any answer with a guess, and put right by each answer.
    Nobody books a turn ahead: who gives up or dies while waiting takes none from others, and of those who
    wait, one for each process, any may be the next.

    The kernel lets the lock of the file go when its holder dies. What others have left behind holds a new
    one up for a minute at most, since providers count by the minute: a limit that was mistyped ends with its run. While
    the file cannot be used, as on a full disk, each process keeps the limit for itself.

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
        self._own: _Pace | None = None

    def take_turn(self, guess: int = 0) -> float:
        """Wait until the next request may go out; returns the seconds that its tokens are reckoned to take.

        Args:
            guess: Tokens that it may cost; counts as long as no answer has come.
        """
        if not (self._spacing or self._token_seconds):
            return 0.0
        with self._line:
            while True:
                with self._pace() as pace:
                    now = self._clock()
                    turn = max(pace.turn if self._spacing else 0.0, pace.owed if self._token_seconds else 0.0)
                    if turn <= now:
                        return self._take(pace, turn, now, guess)
                self._wait(min(turn - now, LOOK_SECONDS))  # an answer that was cheap may bring it forward

    def _take(self, pace: _Pace, turn: float, now: float, guess: int) -> float:
        """Take the turn; one that was slept over a little puts off none of the next."""
        taken = turn if now - turn < self._spacing else now
        pace.turn = max(pace.turn, taken + self._spacing)
        reckoned = (pace.tokens / pace.answers if pace.answers else guess) * self._token_seconds
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
        with self._lock, _locked(self._file) as file:
            self._own = self._newest(file)
            yield self._own
            if file is not None:
                _write(file, self._own)

    def _newest(self, file: IO[bytes] | None) -> _Pace:
        """The file's state, unless one's own is newer because it could not be written, or the wall clock was set."""
        zero, now = time.time() - self._clock(), self._clock()
        found = _read(file, zero) if file is not None else _Pace(zero=zero)
        if self._own is None:
            latest = now + max(WINDOW_SECONDS, self._spacing)
            return replace(found, turn=min(found.turn, latest), owed=min(found.owed, latest))
        return replace(self._own, zero=zero) if file is None or self._own.turn > found.turn else found


@contextmanager
def _locked(path: Path | None) -> Iterator[IO[bytes] | None]:
    """A file that nobody else uses meanwhile; None where there is none to be had."""
    with ExitStack() as opened:
        file = None
        with suppress(OSError):
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                some = opened.enter_context(os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", 0))
                fcntl.flock(some, fcntl.LOCK_EX)
                opened.callback(
                    fcntl.flock, some, fcntl.LOCK_UN
                )  # a forked child may have the file open as well
                file = some
        yield file


def _read(file: IO[bytes], zero: float) -> _Pace:
    """What a file says; one that is empty, broken, or of before the machine's restart says nothing."""
    try:
        pace = _Pace(**json.loads(os.pread(file.fileno(), FILE_BYTES, 0)))
        is_of_now = abs(pace.zero - zero) < RESTART_SECONDS and all(map(math.isfinite, astuple(pace)))
    except (OSError, ValueError, TypeError):
        is_of_now = False
    return pace if is_of_now else _Pace(zero=zero)


def _write(file: IO[bytes], pace: _Pace) -> None:
    """Replace the state by one write of always the same length: it needs no room, and is never half there."""
    with suppress(OSError):
        os.pwrite(file.fileno(), json.dumps(asdict(pace)).encode().ljust(FILE_BYTES), 0)
        os.ftruncate(file.fileno(), FILE_BYTES)


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
