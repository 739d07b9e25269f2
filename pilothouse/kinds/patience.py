"""When to stop asking a model: five requests in a row that only a person can help.

A wrong key or a dead address fails every request alike. To go on would fill the
table with one error; the items that are left stay unfinished for a retry.
"""

from __future__ import annotations

import threading
from collections import Counter

from pilothouse.errors import PilothouseError
from pilothouse.llm.errors import ModelError

HOPELESS_IN_A_ROW = 5


class NoModelLeft(PilothouseError):
    """Every model was given up; the message is the last one's error, the hint its way out."""

    code = "provider"


class Patience:
    """Counts hopeless errors for each model. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._in_a_row: Counter[str] = Counter()
        self._given_up: dict[str, ModelError] = {}

    def answered(self, model: str) -> None:
        """The model works."""
        with self._lock:
            self._in_a_row[model] = 0

    def failed(self, model: str, error: ModelError, *, is_hopeless: bool | None = None) -> None:
        """A request ended in this error; `is_hopeless` outranks what the error says of itself."""
        hopeless = error.is_hopeless if is_hopeless is None else is_hopeless
        with self._lock:
            self._in_a_row[model] = self._in_a_row[model] + 1 if hopeless else 0
            if self._in_a_row[model] >= HOPELESS_IN_A_ROW:
                self._given_up.setdefault(model, error)

    def give_up(self, model: str, error: ModelError) -> None:
        """Do not ask this model at all."""
        with self._lock:
            self._given_up.setdefault(model, error)

    @property
    def given_up(self) -> dict[str, ModelError]:
        """Models that are asked no more, and why."""
        with self._lock:
            return dict(self._given_up)
