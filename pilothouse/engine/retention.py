"""Trims logs that grew too long or too old, when the settings say so; by default nothing ever goes.

It looks once a minute, trims one run at a time, and leaves the store time for the
others between the pieces.
"""

from __future__ import annotations

from collections.abc import Callable

from pilothouse import clock
from pilothouse.contracts import RunQuery, Store
from pilothouse.errors import NotFound
from pilothouse.model.run import Run

SLACK = 0.1
DAY_SECONDS = 86_400.0
_PAGE = 200


class Retention:
    """Which logs are trimmed, and how far.

    Args:
        store: Where they are.
        days: Runs that ended longer ago keep their last event only; None: no matter when.
        events: A log keeps so many of its newest events, or up to a tenth more; None: all.
        now: The time, as events tell it.
    """

    def __init__(
        self, store: Store, days: float | None, events: int | None, now: Callable[[], str] = clock.now
    ) -> None:
        self._store = store
        self._days = days
        self._events = events
        self._now = now
        self._seen: dict[str, int] = {}

    async def look(self) -> list[tuple[Run, int]]:
        """Trim what is due.

        Returns:
            The runs that were trimmed, each with the `seq` where its log begins now.
        """
        if self._days is None and self._events is None:
            return []
        trimmed: list[tuple[Run, int]] = []
        before: int | None = None
        while True:
            page = await self._store.list(RunQuery(limit=_PAGE, before=before))
            for run in page.runs:
                first = await self._trim(run)
                if first is not None:
                    trimmed.append((run, first))
            before = page.before
            if before is None:
                return trimmed

    async def _trim(self, run: Run) -> int | None:
        """Trim one run; None when there is nothing to do."""
        goal = self._goal(run)
        if goal <= self._seen.get(run.id, 1):
            return None
        try:
            first = await self._store.first_seq(run.id)
            slack = SLACK * (self._events or 0) if goal < run.head else 0
            if goal - first > slack:
                self._seen[run.id] = await self._store.trim(run.id, goal)
                return self._seen[run.id]
        except NotFound:
            return None  # deleted meanwhile
        self._seen[run.id] = first
        return None

    def _goal(self, run: Run) -> int:
        """Where the log should begin."""
        if self._days is not None and run.ended_at is not None:
            age_seconds = clock.seconds_between(run.ended_at, self._now())
            if age_seconds > self._days * DAY_SECONDS:
                return run.head
        return 1 if self._events is None else run.head - self._events + 1
