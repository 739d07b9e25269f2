"""`run.map`: items side by side, with pause and cancel exact.

The job's own thread hands out items and yields results; worker threads ask the
server for leave, do the work and report it. An item that is refused leave comes
back and waits for its turn after the pause. The threads are daemons: an item
that hangs cannot hold up a cancel, nor the end of the process.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pilothouse import failpoint
from pilothouse.sdk.done import Done, in_words, name_of
from pilothouse.sdk.safepoint import Safepoint
from pilothouse.sdk.signals import Cancelled, CutOff, Fenced, ItemFailed, Released

if TYPE_CHECKING:
    from pilothouse.sdk.link import Link

T = TypeVar("T")
Report = Callable[[str, bool, float, str | None, str | None, dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Recipe(Generic[T]):
    """What `run.map` was told; see there."""

    work: Callable[[T], Mapping[str, Any] | None]
    key: Callable[[T], str]
    concurrency: int
    describe: Callable[[T], Mapping[str, Any]] | None
    label: Callable[[T], str] | None
    group: Callable[[T], str] | None


@dataclass(frozen=True, slots=True)
class _Task(Generic[T]):
    number: int
    key: str
    label: str | None
    group: str | None
    item: T


class Mapper(Generic[T]):
    """One `run.map`.

    Args:
        recipe: What to do.
        link: Where to ask for leave.
        safepoint: Where to obey.
        finished: Keys to skip.
        report: Sends one finished item.
    """

    def __init__(
        self, recipe: Recipe[T], link: Link, safepoint: Safepoint, finished: frozenset[str], report: Report
    ) -> None:
        self._recipe = recipe
        self._link = link
        self._safepoint = safepoint
        self._finished = finished
        self._report = report
        self._is_strict = safepoint.is_home
        self._is_closed = False
        self._threads = 0
        self._in_hand = 0
        self._returned: list[_Task[T]] = []
        self._tasks: SimpleQueue[_Task[T] | None] = SimpleQueue()
        self._results: SimpleQueue[tuple[_Task[T], Done[T] | None] | None] = SimpleQueue()

    def run(self, items: Iterable[T]) -> Iterator[Done[T]]:
        """Yield each item as it finishes."""
        unlisten = self._link.listen(lambda: self._results.put(None))
        try:
            yield from self._loop(self._tasks_of(items))
        finally:
            unlisten()
            self._is_closed = True
            for _ in range(self._threads):
                self._tasks.put(None)

    def _loop(self, source: Iterator[_Task[T]]) -> Iterator[Done[T]]:
        while True:
            is_exhausted = False
            while self._in_hand < self._recipe.concurrency and not self._is_held() and not is_exhausted:
                task = self._returned.pop(0) if self._returned else next(source, None)
                if task is None:
                    is_exhausted = True
                else:
                    self._give(task)
            if self._in_hand:
                if done := self._collect():
                    yield done
            elif self._is_held():
                self._safepoint.obey()
            elif is_exhausted:
                return

    def _tasks_of(self, items: Iterable[T]) -> Iterator[_Task[T]]:
        label, group = self._recipe.label, self._recipe.group
        for number, item in enumerate(items):
            key = name_of(self._recipe.key(item))
            if key not in self._finished:
                yield _Task(
                    number,
                    key,
                    str(label(item)) if label else None,
                    str(group(item)) if group else None,
                    item,
                )

    def _is_held(self) -> bool:
        """True while nothing may start. Inside another map's work only a cancel holds."""
        if self._link.asked:
            self._safepoint.check()
        return self._link.asked and self._is_strict

    def _give(self, task: _Task[T]) -> None:
        if self._threads == self._in_hand:
            self._threads += 1
            threading.Thread(target=self._work_always, name="pilothouse-work", daemon=True).start()
        self._in_hand += 1
        self._safepoint.take_up()
        self._tasks.put(task)

    def _collect(self) -> Done[T] | None:
        """Wait for one result, or for news from the server."""
        result = self._results.get()
        if self._link.asked:
            self._safepoint.check()
        if result is None:
            return None
        self._in_hand -= 1
        task, done = result
        if done is None:
            self._returned = sorted([*self._returned, task], key=lambda other: other.number)
        return done

    # In the worker threads

    def _work_always(self) -> None:
        while task := self._tasks.get():
            try:
                done = self._do(task)
            except (Cancelled, Released, Fenced, CutOff):
                done = None
            self._safepoint.put_down()
            self._results.put((task, done))

    def _do(self, task: _Task[T]) -> Done[T] | None:
        """Work on one item and report it; None when it was not begun."""
        if self._is_closed or not self._has_leave(task):
            return None
        failpoint.reach("sdk.leave.granted")
        self._link.mark(task.key)
        started = time.perf_counter()
        error, data = self._attempt(task.item)
        seconds = time.perf_counter() - started
        failpoint.reach("sdk.work.done")
        self._report(task.key, error is None, seconds, error, task.group, data)
        return Done(task.key, error is None, seconds, error, data, task.item)

    def _has_leave(self, task: _Task[T]) -> bool:
        data = {"key": task.key, "label": task.label, "ask": self._is_strict}
        if not self._is_strict:
            self._link.put("item.started", data)
            return True
        return not self._link.asked and self._link.ask("item.started", data)

    def _attempt(self, item: T) -> tuple[str | None, dict[str, Any]]:
        """The error in words, if any, and the columns."""
        known: dict[str, Any] = {}
        try:
            known = dict(self._recipe.describe(item)) if self._recipe.describe else {}
            return None, {**known, **(self._recipe.work(item) or {})}
        except (Cancelled, Released, Fenced, CutOff):
            raise
        except ItemFailed as failure:
            return failure.message, {**known, **failure.data}
        except BaseException as error:  # SystemExit in a worker thread is one item's failure too
            return in_words(error), known
