"""What the offline model's server counts of its own requests, in Prometheus' text format.

Times begin when the first line of a request was read and end when its answer is written.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Request:
    """One chat completion.

    Args:
        began: When it came, by `time.perf_counter`.

    Attributes:
        tokens: Of its answer.
        first_seconds: Until its first token; None until then.
    """

    def __init__(self, began: float) -> None:
        self.tokens = 0
        self.first_seconds: float | None = None
        self._began = began

    @property
    def seconds(self) -> float:
        """Since it came."""
        return time.perf_counter() - self._began

    def first_token(self) -> None:
        """A token goes out; only the first one counts."""
        if self.first_seconds is None:
            self.first_seconds = self.seconds


class Meter:
    """Sums over finished requests. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sums = dict.fromkeys(("requests_total", "tokens_total"), 0.0)
        self._sums |= dict.fromkeys(("request_seconds_sum", "first_token_seconds_sum"), 0.0)

    @contextmanager
    def request(self, began: float) -> Iterator[Request]:
        """Count a request that is answered; one whose client hangs up does not count."""
        request = Request(began)
        yield request
        seconds = request.seconds
        with self._lock:
            self._sums["requests_total"] += 1
            self._sums["tokens_total"] += request.tokens
            self._sums["request_seconds_sum"] += seconds
            self._sums["first_token_seconds_sum"] += request.first_seconds or seconds

    def text(self) -> str:
        """One line for each sum."""
        with self._lock:
            return "".join(f"pilothouse_offline_{name} {value:.9g}\n" for name, value in self._sums.items())
