"""`with ph.run("name") as run:` — two lines, and a script is a run.

In a command that `pilothouse run -- …` started, the block takes part in that run.
Started by hand, it makes a run of its own. Without a server the script goes on
unrecorded: the work matters more than its record.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, TypeVar

from pilothouse.sdk.assignment import VARIABLES
from pilothouse.sdk.byhand import ByHand
from pilothouse.sdk.handle import RunHandle
from pilothouse.sdk.session import Session
from pilothouse.sdk.within import Within

T = TypeVar("T")


def run(
    name: str | None = None,
    *,
    params: Mapping[str, Any] | None = None,
    tags: Sequence[str] = (),
    resume: str | None = None,
) -> AbstractContextManager[RunHandle]:
    """A run for the length of a `with` block; one at a time in a process.

    An exception makes the run failed and goes on upwards. A cancel unwinds the block
    with `Cancelled`, and the script ends with exit code 4.

    Args:
        name: The run's name; the script's own by default. A run that the command line
            made keeps its own.
        params: Shown with the run, and `run.params`. Those that the command line set outrank them.
        tags: The run's tags.
        resume: Begin a new run that reuses the finished items of an ended one: its id,
            number or name, or `@last` for the newest of this name.

    Raises:
        RuntimeError: The process is in such a block already.
        PilothouseError: The server refuses the run; or there is none, and the variable
            `PILOTHOUSE_REQUIRED` says that there must be.
    """
    return _Block(name, params or {}, tags, resume)


def track(
    items: Iterable[T],
    name: str | None = None,
    *,
    key: Callable[[T], str] | None = None,
    total: int | None = None,
    resume: str | None = None,
) -> Iterator[T]:
    """`run` and its `track` in one: loop over items as a run.

    When the loop is left in its midst, the run ends with the script: failed when an
    exception ended that, else completed.

    Args:
        items: What to loop over.
        name: As for `run`.
        key: Names an item; items that are finished already are skipped.
        total: How many there are, where `items` has no length.
        resume: As for `run`.
    """
    block = _Block(name, {}, (), resume)
    handle = block.__enter__()
    try:
        yield from handle.track(items, key=key, total=total)
    except GeneratorExit:
        block.linger()
        raise
    except BaseException as error:
        block.end(error)
        raise
    block.end(None)


class _Gate:
    """Lets one block at a time be open in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.lingering: _Block | None = None

    def enter(self) -> None:
        """Come in; a loop that was left before has then ended well."""
        if self.lingering is not None:
            self.lingering.end(None)
        if not self._lock.acquire(blocking=False):
            raise RuntimeError("this process is in a run already; leave its block before you begin another")

    def leave(self) -> None:
        """Let the next one in."""
        self.lingering = None
        self._lock.release()


_GATE = _Gate()


class _Block(AbstractContextManager[RunHandle]):
    """The two ends of a block."""

    def __init__(
        self, name: str | None, params: Mapping[str, Any], tags: Sequence[str], resume: str | None
    ) -> None:
        self._wish = name, params, tags, resume

    def __enter__(self) -> RunHandle:
        _GATE.enter()
        try:
            self._session = self._choose()
            return self._session.open()
        except BaseException:
            _GATE.leave()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(error)

    def end(self, error: BaseException | None) -> None:
        """End the run; what replaces the error is raised here."""
        atexit.unregister(self._end_with_script)
        try:
            instead = self._session.close(error)
        finally:
            _GATE.leave()
        if instead is not None and instead is not error:
            raise instead from None

    def linger(self) -> None:
        """Nobody knows yet why the loop was left: the end of the script tells."""
        _GATE.lingering = self
        atexit.register(self._end_with_script)

    def _end_with_script(self) -> None:
        if _GATE.lingering is self:
            self.end(getattr(sys, "last_value", None))

    def _choose(self) -> Session:
        """The session that fits how this process was started."""
        name, params, tags, resume = self._wish
        if all(os.environ.get(variable) for variable in VARIABLES):
            return Within(os.environ, params)
        return ByHand(name, params, tags, resume)
