"""Sessions that were signed out: their cookies open nothing any more, and the streams they opened end.

Kept in a file until the cookie would have expired, so that a restart brings no session back.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Revocations:
    """Which sessions were signed out, and what is open of the others.

    Args:
        file: Where they are kept; None: nowhere.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._open: dict[str, set[asyncio.Task[None]]] = {}
        self._ends = _read(file) if file is not None and file.exists() else {}

    def holds(self, session: str) -> bool:
        """Whether a session was signed out."""
        return session in self._ends

    def add(self, session: str, seconds: float) -> None:
        """Sign a session out; its cookie would have been good for so long at most."""
        self._ends[session] = time.time() + seconds
        for task in self._open.pop(session, set()):
            task.cancel()

    @contextmanager
    def opened(self, session: str) -> Iterator[None]:
        """The task that runs the block serves this session: it is cancelled when that is signed out."""
        task = asyncio.current_task()
        assert task is not None
        self._open.setdefault(session, set()).add(task)
        try:
            yield
        finally:
            tasks = self._open.get(session, set())
            tasks.discard(task)
            if not tasks:
                self._open.pop(session, None)

    def save(self) -> None:
        """Write down what has not expired; for a thread.

        Raises:
            OSError: It cannot be written.
        """
        now = time.time()
        ends = {session: end for session, end in list(self._ends.items()) if end > now}
        if self._file is None:
            return
        part = self._file.with_name(f".{self._file.name}.part")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.writelines(f"{session} {end:.0f}\n" for session, end in ends.items())
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._file)


def _read(file: Path) -> dict[str, float]:
    ends: dict[str, float] = {}
    for line in file.read_text().splitlines():
        session, _, end = line.partition(" ")
        if session and end.isdecimal():
            ends[session] = float(end)
    return ends
