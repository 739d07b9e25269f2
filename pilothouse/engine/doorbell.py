"""Lets many wait for the bus: one subscription, one set of ears per run.

A ring sets an `asyncio.Event` and nothing else, so a thousand rings between
two looks are one look, and a listener that is slow costs nobody anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from pilothouse.contracts import EVERY_RUN, Bus


class Doorbell:
    """Hears the bus and wakes whoever listens for a run, or for any run."""

    def __init__(self, bus: Bus) -> None:
        self._ears: dict[str, set[asyncio.Event]] = {}
        self.closed = False
        self._unsubscribe = bus.subscribe(self._rung)

    def close(self) -> None:
        """Stop hearing; every listener wakes up once more and sees `closed`."""
        self.closed = True
        self._unsubscribe()
        self._rung(EVERY_RUN)

    @contextmanager
    def listen(self, run_id: str = EVERY_RUN) -> Iterator[asyncio.Event]:
        """An event that is set at every ring for `run_id`; the listener clears it before it looks."""
        ear = asyncio.Event()
        self._ears.setdefault(run_id, set()).add(ear)
        try:
            yield ear
        finally:
            ears = self._ears[run_id]
            ears.discard(ear)
            if not ears:
                del self._ears[run_id]

    def _rung(self, run_id: str) -> None:
        rooms = list(self._ears) if run_id == EVERY_RUN else (run_id, EVERY_RUN)
        for room in rooms:
            for ear in self._ears.get(room, ()):
                ear.set()
