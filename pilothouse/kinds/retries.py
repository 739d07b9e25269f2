"""What the activity feed tells of requests that are tried again: the first few of each model, then fewer and fewer.

A provider that says 429 all day would fill the log with hundreds of thousands of lines that all say the same.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

from pilothouse.llm.client import Retry

EACH_RETRY = 10


class Retries:
    """Tells each of the first retries of a model, then the 100th, the 1,000th, … Thread-safe.

    Args:
        note: Writes a line to the feed.
    """

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def __call__(self, retry: Retry) -> None:
        """A request will be tried again."""
        with self._lock:
            self._counts[retry.model.name] += 1
            count = self._counts[retry.model.name]
        if count <= EACH_RETRY:
            self._note(retry.text)
        elif str(count).rstrip("0") == "1":
            self._note(f"{retry.text} It is the {count:,}th of this model.")
