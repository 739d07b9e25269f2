"""Trims logs that grew too long or too old, when the settings say so; by default nothing ever goes.

It looks once a minute at the runs that go on and at one page of those that have
ended, page after page and then from the newest again: what has ended grows no more,
and it does not matter in which hour an old log goes.
"""

from __future__ import annotations

from collections.abc import Callable

from pilothouse import clock
from pilothouse.contracts import Store
from pilothouse.errors import NotFound
from pilothouse.model.run import LIVE, TERMINAL, Run
from pilothouse.questions import RunQuery

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
        self._before: int | None = None

    async def look(self) -> list[tuple[Run, int]]:
        """Trim what is due.

        Returns:
            The runs that were trimmed, each with the `seq` where its log begins now.
        """
        if self._days is None and self._events is None:
            return []
        trimmed: list[tuple[Run, int]] = []
        for run in [*await self._live(), *await self._some_ended()]:
            first = await self._trim(run)
            if first is not None:
                trimmed.append((run, first))
        return trimmed

    async def _live(self) -> list[Run]:
        """All runs that go on; none when only age lets a log go."""
        runs: list[Run] = []
        before: int | None = None
        while self._events is not None:
            page = await self._store.list(RunQuery(statuses=tuple(LIVE), limit=_PAGE, before=before))
            runs += page.runs
            before = page.before
            if before is None:
                break
        return runs

    async def _some_ended(self) -> tuple[Run, ...]:
        """The next page of ended runs."""
        query = RunQuery(statuses=tuple(TERMINAL), limit=_PAGE, before=self._before)
        page = await self._store.list(query)
        self._before = page.before
        return page.runs

    async def _trim(self, run: Run) -> int | None:
        """Trim one run; None when there is nothing to do."""
        goal = self._goal(run)
        if goal <= 1:
            return None
        try:
            first = await self._store.first_seq(run.id)
            slack = SLACK * (self._events or 0) if goal < run.head else 0
            return await self._store.trim(run.id, goal) if goal - first > slack else None
        except NotFound:
            return None  # deleted meanwhile

    def _goal(self, run: Run) -> int:
        """Where the log should begin."""
        if self._days is not None and run.ended_at is not None:
            age_seconds = clock.seconds_between(run.ended_at, self._now())
            if age_seconds > self._days * DAY_SECONDS:
                return run.head
        return 1 if self._events is None else run.head - self._events + 1
