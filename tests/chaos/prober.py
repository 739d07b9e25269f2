"""Somebody who looks at the list of runs all the time, and at the processes behind it.

A run that is shown running, or paused with its process waiting, must have a live
process of that attempt. The prober measures for how long it did not: a lie.
"""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Any

import httpx2

from tests.chaos.traces import marked
from tests.e2e.stack import Stack

LOOK_SECONDS = 0.1
Shown = tuple[str, int]


class Prober(threading.Thread):
    """Looks until it is stopped; used as a context manager.

    Attributes:
        looks: How often the list was read.
        lie_seconds: The longest time a run was shown alive without a process.
        lie: Which run that was, and how it was shown.
    """

    def __init__(self, up: Stack) -> None:
        super().__init__(name="prober", daemon=True)
        self.looks = 0
        self.lie_seconds = 0.0
        self.lie = ""
        self._up = up
        self._over = threading.Event()
        self._since: dict[Shown, float] = {}

    def __enter__(self) -> Prober:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        """Look again and again."""
        while not self._over.wait(LOOK_SECONDS):
            began = time.monotonic()
            try:
                runs = self._up.api("GET", "/api/runs?status=running&status=paused&limit=200")["runs"]
            except (httpx2.HTTPError, OSError, AssertionError):
                self._since = {}  # a server that does not answer tells no lies
                continue
            self._compare(runs, began)

    def _compare(self, runs: list[dict[str, Any]], began: float) -> None:
        alive = {(run_id, attempt) for run_id, attempt, _ in marked().values()}
        shown = {(run["id"], run["attempt"]): run["status"] for run in runs if run["strength"] != "release"}
        self._since = {key: when for key, when in self._since.items() if key in shown and key not in alive}
        for key, status in shown.items():
            if key in alive:
                continue
            lied = began - self._since.setdefault(key, began)
            if lied > self.lie_seconds:
                self.lie_seconds, self.lie = lied, f"{key[0]}, attempt {key[1]}, shown {status}"
        self.looks += 1
