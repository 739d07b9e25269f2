"""`run.track`: a loop whose passes are items, and the totals that loops tell."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from pilothouse.errors import PilothouseError
from pilothouse.sdk.done import Done, in_words, name_of
from pilothouse.sdk.mapping import Report
from pilothouse.sdk.safepoint import Safepoint

if TYPE_CHECKING:
    from pilothouse.sdk.link import Link

T = TypeVar("T")
ASK_ABOVE_SECONDS = 0.05
PAGE_ITEMS = 5_000


class Totals:
    """How many items there are: the sum of the job's loops, unless the job tells it itself."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._is_told = False
        self._expected = 0
        self._groups: Counter[str] = Counter()

    def tell(self, total: int, groups: dict[str, int]) -> None:
        """The job knows the total."""
        self._is_told = True
        self._link.put("progress", {"total": total, "groups": groups})

    def expect(self, items: Iterable[T], total: int | None, group: Callable[[T], str] | None) -> None:
        """Add the items of one loop, where their number is known."""
        count = len(items) if total is None and isinstance(items, Collection) else total
        if self._is_told or count is None:
            return
        self._expected += count
        if group and isinstance(items, Collection):
            self._groups.update(str(group(item)) for item in items)
        self._link.put("progress", {"total": self._expected, "groups": dict(self._groups)})


@dataclass(frozen=True, slots=True)
class _Left:
    """An item whose loop was left in the middle of its pass."""

    key: str
    seconds: float
    group: str | None


class Tracker:
    """The `run.track` loops of one job.

    Python does not tell a generator whether its loop was left by `break` or by an
    exception. What became of that item is therefore decided when the job next
    enters a loop or a phase, or ends.
    """

    def __init__(
        self, link: Link, safepoint: Safepoint, totals: Totals, finished: frozenset[str], report: Report
    ) -> None:
        self._link = link
        self._safepoint = safepoint
        self._totals = totals
        self._finished = finished
        self._report = report
        self._left: _Left | None = None
        self._is_looping = False
        self._unnamed = 0

    def track(
        self,
        items: Iterable[T],
        total: int | None,
        key: Callable[[T], str] | None,
        label: Callable[[T], str] | None,
        group: Callable[[T], str] | None,
    ) -> Iterator[T]:
        """Loop over items; see `RunHandle.track`. A loop inside a loop reports no items of its own."""
        if self._is_looping:
            yield from self._pass_through(items)
            return
        self.settle(sys.exc_info()[1])
        self._totals.expect(items, total, group)
        prefix = self._next_prefix() if key is None else ""
        seconds = ASK_ABOVE_SECONDS
        for index, item in enumerate(items):
            name = name_of(key(item)) if key else f"{prefix}{index}"
            if key and name in self._finished:
                continue
            self._begin(name, str(label(item)) if label else None, seconds >= ASK_ABOVE_SECONDS)
            team = str(group(item)) if group else None
            started = time.perf_counter()
            self._is_looping = True
            try:
                yield item
            except GeneratorExit:
                self._left = _Left(name, time.perf_counter() - started, team)
                raise
            finally:
                self._is_looping = False
            seconds = time.perf_counter() - started
            self._report(name, True, seconds, None, team, {})
        if self._link.asked:
            self._safepoint.obey()

    def settle(self, error: BaseException | None) -> None:
        """Report the item whose loop was left: failed when an error did it, else finished."""
        left, self._left = self._left, None
        if left is None:
            return
        if error is None or isinstance(error, Exception):
            words = in_words(error) if error else None
            self._report(left.key, error is None, left.seconds, words, left.group, {})

    def _begin(self, key: str, label: str | None, is_slow: bool) -> None:
        """Wait until the item may begin. Passes too short to be seen do not ask the server."""
        while True:
            if self._link.asked:
                self._safepoint.obey()
            if not is_slow or self._link.ask("item.started", {"key": key, "label": label, "ask": True}):
                self._link.mark(key)
                return

    def _pass_through(self, items: Iterable[T]) -> Iterator[T]:
        for item in items:
            if self._link.asked:
                self._safepoint.obey()
            yield item

    def _next_prefix(self) -> str:
        self._unnamed += 1
        return "" if self._unnamed == 1 else f"{self._unnamed}/"


def read_finished(link: Link) -> list[Done[None]]:
    """All finished items of the run, oldest first."""
    link.catch_up()
    found: list[dict[str, Any]] = []
    before: int | None = None
    while True:
        query = {"limit": PAGE_ITEMS} | ({"before": before} if before else {})
        page = link.call("GET", f"/items?{urlencode(query)}").json()
        found += page["items"]
        before = page["before"]
        if not before:
            break
    return [
        Done(item["key"], item["state"] == "done", item["seconds"] or 0.0, item["error"], item["data"])
        for item in reversed(found)
        if item["state"] != "in_flight"
    ]


def read_last_steps(link: Link, names: Collection[str]) -> dict[str, int]:
    """The last step of each metric, 0 for a new one, so that a later attempt does not begin at 1 again."""
    query = urlencode({"names": ",".join(names), "points": 3})
    link.catch_up(2.0)
    try:
        series = link.call("GET", f"/metrics?{query}", patience_seconds=2.0).json().get("series", {})
    except PilothouseError:
        series = {}
    return {name: int(series[name][-1][0]) if series.get(name) else 0 for name in names}
