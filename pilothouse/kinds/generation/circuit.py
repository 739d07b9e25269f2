"""A circuit breaker for each name: after some failures in a row it is left alone for a while.

Nygard, "Release It!" (2007), "Circuit Breaker": closed, open after `FAILURES` in a row, and after
`SECONDS` half open: one trial, which closes it or opens it again. Time is monotonic, so a clock that is
set opens and closes nothing. A new attempt of a run begins with all of them closed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

FAILURES = 3
SECONDS = 300.0


@dataclass(slots=True)
class _State:
    failures: int = 0
    open_until: float | None = None
    is_tried: bool = False


class Circuits:
    """Circuit breakers by name. Thread-safe.

    Args:
        failures: In a row, before one opens.
        seconds: How long one stays open.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        failures: int = FAILURES,
        seconds: float = SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._failures = failures
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._states: dict[str, _State] = {}

    def is_open(self, name: str) -> bool:
        """True while this name is to be left alone; a trial in hand counts as that."""
        with self._lock:
            state = self._states.get(name)
            if state is None or state.open_until is None:
                return False
            return state.is_tried or self._clock() < state.open_until

    def is_half_open(self, name: str) -> bool:
        """True when the next one of this name is the trial."""
        with self._lock:
            state = self._states.get(name)
            return state is not None and state.open_until is not None and not state.is_tried

    def begin(self, name: str) -> None:
        """Something of this name begins; behind a half open circuit it is the trial."""
        with self._lock:
            state = self._states.setdefault(name, _State())
            state.is_tried = state.open_until is not None

    def give_back(self, name: str) -> None:
        """What began did not come to an end: it says nothing, and another may be the trial."""
        with self._lock:
            self._states.setdefault(name, _State()).is_tried = False

    def worked(self, name: str) -> None:
        """It went well: the circuit is closed."""
        with self._lock:
            self._states[name] = _State()

    def failed(self, name: str) -> bool:
        """It failed; True when the circuit has opened by that."""
        with self._lock:
            state = self._states.setdefault(name, _State())
            state.failures += 1
            was_tried, state.is_tried = state.is_tried, False
            if state.failures < self._failures or (state.open_until is not None and not was_tried):
                return False  # not yet, or begun before it opened
            state.open_until = self._clock() + self._seconds
            return True

    def open_names(self) -> list[str]:
        """The names that are to be left alone now."""
        return [name for name in list(self._states) if self.is_open(name)]

    def wait_seconds(self) -> float:
        """Seconds until the first open circuit lets a trial through; 0 with none open."""
        with self._lock:
            until = [state.open_until for state in self._states.values() if state.open_until is not None]
            return max(0.0, min(until) - self._clock()) if until else 0.0
