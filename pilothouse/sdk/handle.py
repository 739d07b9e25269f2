"""`RunHandle`: the job's view of its run.

Job code is a plain synchronous function that gets a handle. Reporting only
appends to a queue and never waits; the loop is the safepoint, where the run may
be paused or cancelled. Standard library only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

T = TypeVar("T")
I_co = TypeVar("I_co", covariant=True)
Level = Literal["debug", "info", "warning", "error"]
Feed = Literal["planned", "training", "metrics", "error", "backup", "control", "file"]


@dataclass(frozen=True, slots=True)
class Done(Generic[I_co]):
    """One finished item.

    Attributes:
        key: Its name within the run.
        ok: False when it ended in an error.
        seconds: How long it took.
        error: `Type: message`, None when it is ok.
        data: Its columns.
        item: What was worked on; None for items of earlier attempts.
    """

    key: str
    ok: bool
    seconds: float
    error: str | None
    data: dict[str, Any] = field(default_factory=dict)
    item: I_co | None = None


class RunHandle:
    """What job code sees of its run.

    Attributes:
        id: The run's id.
        name: The run's name.
        attempt: 1 at first; higher after a resume or a crash.
        params: The validated params; live params change in place while the job runs.
        folder: The run's own folder; exists.
        saved_state: What `save_state` was given last, by this or an earlier attempt.
    """

    id: str
    name: str
    attempt: int
    params: dict[str, Any]
    folder: Path
    saved_state: dict[str, Any] | None

    def track(
        self,
        items: Iterable[T],
        *,
        total: int | None = None,
        key: Callable[[T], str] | None = None,
        label: Callable[[T], str] | None = None,
        group: Callable[[T], str] | None = None,
    ) -> Iterator[T]:
        """Loop over items; every pass of the body is one item, and between two lies a safepoint.

        An exception in the body marks its item as failed and goes on upwards.

        Args:
            items: What to loop over.
            total: How many there are, where `items` has no length.
            key: Names an item. With it, items that an earlier attempt finished are
                skipped; without it, items are named by their index and all are done.
            label: What the screen shows while the item is in hand.
            group: Name of the group whose items take alike long.

        Raises:
            Cancelled: The run was cancelled.
        """
        raise NotImplementedError

    def map(
        self,
        work: Callable[[T], Mapping[str, Any] | None],
        items: Iterable[T],
        *,
        key: Callable[[T], str],
        concurrency: int = 1,
        describe: Callable[[T], Mapping[str, Any]] | None = None,
        label: Callable[[T], str] | None = None,
        group: Callable[[T], str] | None = None,
    ) -> Iterator[Done[T]]:
        """Work on items, several side by side, and yield each as it finishes.

        No item begins after a pause was accepted; those in hand are finished first.
        Items that an earlier attempt finished are skipped. A job may stop early by
        leaving the loop. Worker threads do the work: it must be thread-safe when
        `concurrency` is above 1.

        Args:
            work: Does one item and returns its columns. An exception makes a failed
                item and never ends the run; `ItemFailed` says so in the job's words.
            items: What to work on; may be endless. With a length, the total is told.
            key: Names an item, uniquely within the run.
            concurrency: Items side by side, at least 1.
            describe: Columns known beforehand, kept for success and failure alike.
            label: What the screen shows while the item is in hand.
            group: Name of the group whose items take alike long, such as a model.

        Raises:
            Cancelled: The run was cancelled; items in hand are abandoned.
        """
        raise NotImplementedError

    def item(
        self,
        key: str,
        *,
        ok: bool = True,
        seconds: float = 0.0,
        error: str | None = None,
        group: str | None = None,
        **data: Any,
    ) -> None:
        """Report one finished item. A key counts once; a second report of it is left out."""
        raise NotImplementedError

    def metric(self, step: int | None = None, **values: float | None) -> None:
        """Report one point of one or several metrics.

        Args:
            step: Integer x; None continues after the last step of these metrics.
            values: By name. NaN and Infinity are allowed.
        """
        raise NotImplementedError

    def log(self, text: str, level: Level = "info", source: str = "job") -> None:
        """Write one line to the run's console."""
        raise NotImplementedError

    def note(self, feed: Feed, text: str) -> None:
        """Write one line to the run's activity feed."""
        raise NotImplementedError

    def phase(
        self, name: str, index: int | None = None, of: int | None = None
    ) -> AbstractContextManager[None]:
        """A named stretch of the run; `index` counts from 1."""
        raise NotImplementedError

    def total(self, total: int, groups: Mapping[str, int] | None = None) -> None:
        """Tell how many items the run has in all, and in each group; `map` and `track` then keep silent."""
        raise NotImplementedError

    def artifact(self, path: str | PathLike[str], name: str | None = None) -> None:
        """Upload a file; it is listed under `name`, by default its file name. Waits until it is stored.

        Raises:
            OSError: The file cannot be read.
            PilothouseError: The server refuses it.
        """
        raise NotImplementedError

    def save_state(self, state: dict[str, Any]) -> None:
        """Keep a small JSON that the next attempt finds in `saved_state`.

        Raises:
            TooLarge: More than 60 KB as JSON.
        """
        raise NotImplementedError

    def guard(self, rule: str, text: str, value: Any = None) -> None:
        """Tell that a limit of the run was reached; shown beside the status."""
        raise NotImplementedError

    def finished(self) -> list[Done[None]]:
        """What earlier attempts finished, oldest first, failed items included. Asks the server."""
        raise NotImplementedError

    def safepoint(self) -> None:
        """Obey a pending control, if there is one. Blocks while the run is paused.

        Raises:
            Cancelled: The run was cancelled.
        """
        raise NotImplementedError
