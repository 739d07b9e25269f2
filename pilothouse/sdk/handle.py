"""`RunHandle`: the job's view of its run.

Job code is a plain synchronous function that gets a handle. Reporting only
appends to a queue and never waits; the loop is the safepoint, where the run may
be paused or cancelled. Standard library only.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from os import PathLike
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import quote

from pilothouse.errors import Conflict, TooLarge
from pilothouse.sdk.done import Done, name_of
from pilothouse.sdk.encoding import DEEPEST, LIMIT_BYTES, SCALARS, dump, is_deep
from pilothouse.sdk.mapping import Mapper, Recipe
from pilothouse.sdk.safepoint import Safepoint
from pilothouse.sdk.tracking import Totals, Tracker, read_finished, read_last_steps

if TYPE_CHECKING:
    from pilothouse.sdk.link import Link

T = TypeVar("T")
WRITTEN_ABOVE_SECONDS = 0.01
Level = Literal["debug", "info", "warning", "error"]
Feed = Literal["planned", "training", "metrics", "error", "backup", "control", "file"]


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

    def __init__(
        self,
        link: Link,
        *,
        id: str,
        name: str,
        attempt: int,
        params: dict[str, Any],
        folder: Path,
        saved_state: dict[str, Any] | None = None,
        finished: Collection[str] = (),
        in_flight: Collection[str] = (),
        root: str | None = None,
    ) -> None:
        self.id = id
        self.name = name
        self.attempt = attempt
        self.params = params
        self.folder = folder
        self.saved_state = saved_state
        self._link = link
        self._finished = frozenset(finished)
        self._in_flight = frozenset(in_flight)
        self._root = root or id
        self._reported_at = 0.0
        self._steps: dict[str, int] = {}
        self._safepoint = Safepoint(link)
        self._totals = Totals(link)
        self._tracker = Tracker(link, self._safepoint, self._totals, self._finished, self._report)

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
        return self._tracker.track(items, total, key, label, group)

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
        if concurrency < 1:
            raise ValueError(f"concurrency must be at least 1, not {concurrency}")
        self._totals.expect(items, None, group)
        recipe = Recipe(work, key, concurrency, describe, label, group)
        return Mapper(recipe, self._link, self._safepoint, self._finished, self._report).run(items)

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
        self._report(key, ok, seconds, error, group, data)

    def metric(self, step: int | None = None, **values: float | None) -> None:
        """Report one point of one or several metrics.

        Args:
            step: Integer x; None continues after the last step of these metrics.
            values: By name. NaN and Infinity are allowed.
        """
        if step is None:
            if self.attempt > 1 and not self._steps.keys() >= values.keys():
                self._steps = read_last_steps(self._link, values) | self._steps
            step = 1 + max((self._steps.get(name, 0) for name in values), default=0)
        self._steps.update(dict.fromkeys(values, step))
        self._say("metric", {"step": step, "values": values}, values)

    def log(self, text: str, level: Level = "info", source: str = "job") -> None:
        """Write one line to the run's console."""
        self._link.put("log", {"level": level, "source": source, "text": str(text)})

    def note(self, feed: Feed, text: str) -> None:
        """Write one line to the run's activity feed."""
        self._link.put("note", {"feed": feed, "text": str(text)})

    def phase(
        self, name: str, index: int | None = None, of: int | None = None
    ) -> AbstractContextManager[None]:
        """A named stretch of the run; `index` counts from 1."""
        return self._phase({"name": name, "index": index, "of": of})

    def total(self, total: int, groups: Mapping[str, int] | None = None) -> None:
        """Tell how many items the run has in all, and in each group; `map` and `track` then keep silent."""
        self._totals.tell(total, dict(groups or {}))

    def artifact(self, path: str | PathLike[str], name: str | None = None) -> None:
        """Upload a file; it is listed under `name`, by default its file name. Waits until it is stored.

        What is written to the file meanwhile is left out.

        Raises:
            OSError: The file cannot be read.
            PilothouseError: The server refuses it, or the file shrinks meanwhile.
        """
        path = Path(path)
        name = quote(name or path.name)
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            headers = {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
            self._link.call(
                "POST", f"/artifacts/{name}?attempt={self.attempt}", lambda: _Measured(file, size), headers
            )

    def progress(self, done: int, total: int | None = None) -> None:
        """Tell how far a run is that counts something smaller than its items, such as the steps of a training.

        Every finished item still counts as one more; a job whose item closes unit number
        `n` therefore tells `n - 1` before it reports the item. The count never goes back.

        Args:
            done: Units done so far.
            total: All of them, where it is known or has changed.
        """
        self._link.put("progress", {"done": done} | ({} if total is None else {"total": total}))

    def save_state(self, state: dict[str, Any]) -> None:
        """Keep a small JSON that the next attempt finds in `saved_state`.

        Raises:
            TooLarge: More than 60 KB as JSON, or nested more than 15 times.
        """
        if is_deep({"state": state}):
            raise TooLarge(
                f"The saved state is nested {DEEPEST} times or more, at most {DEEPEST - 1} are kept.",
                hint="Write it to a file in `run.folder` and keep the file's name.",
            )
        size = len(dump(state))
        if size > LIMIT_BYTES:
            raise TooLarge(
                f"The saved state has {size:,} bytes, at most {LIMIT_BYTES:,} are kept.",
                hint="Write it to a file in `run.folder` and keep the file's name.",
            )
        self.saved_state = state
        self._link.put_copy("state.saved", {"state": state})

    def guard(self, rule: str, text: str, value: Any = None) -> None:
        """Tell that a limit of the run was reached; shown beside the status."""
        self._link.put_copy("guard.tripped", {"rule": rule, "text": text, "value": value})

    def pause(self, rule: str, text: str, value: Any = None) -> None:
        """Pause this run because of a limit of its own; returns when somebody has resumed it.

        Call it from the loop that asks for the next item, once nothing more may start.

        Args:
            rule: Short name of the limit, such as `budget`.
            text: What happened and the way out, shown beside the status.
            value: The limit.

        Raises:
            Cancelled: The run was cancelled meanwhile.
        """
        self.guard(rule, text, value)
        self._safepoint.pause(f"the limit {rule}")

    def finished(self) -> list[Done[None]]:
        """What earlier attempts finished, oldest first, failed items included. Asks the server."""
        return read_finished(self._link)

    def idempotency_key(self, key: str) -> str:
        """A name for one item's side effect, to be sent along to outside services.

        The same in every attempt, and in every run that retries this one. A service that
        knows such keys then does once what was asked of it twice, because the job was
        killed between the request and its result:

        ```python
        def charge(run, http, order):
            key = run.idempotency_key(order["id"])
            http.post("/charges", json=order, headers={"Idempotency-Key": key})
        ```

        Args:
            key: The item's key.
        """
        from hashlib import sha256

        return "ph-" + sha256(f"{self._root}\0{name_of(key)}".encode("utf-8", "replace")).hexdigest()[:40]

    @property
    def pending(self) -> Literal["pause", "cancel", "leave"] | None:
        """What the next safepoint obeys, for a job that has something to save first.

        `leave`: no server has answered for too long. None also where another attempt owns
        the run: then nothing may be written any more, and `safepoint` says so.
        """
        link = self._link
        if not link.asked or link.is_fenced:
            return None
        if link.is_cut_off:
            return "leave"
        return {"pause": "pause", "cancel": "cancel"}.get(link.state.pending or "")  # type: ignore[return-value]

    def safepoint(self) -> None:
        """Obey a pending control, if there is one. Blocks while the run is paused.

        Raises:
            Cancelled: The run was cancelled.
        """
        if self._link.asked:
            self._safepoint.obey()

    def settle(self, error: BaseException | None = None) -> None:
        """The job is over, with or without an error: wait for the items that are still in hand.

        Raises:
            Cancelled: The run was cancelled meanwhile.
        """
        self._tracker.settle(error)
        if error is None:
            self._safepoint.drain()

    def _report(
        self,
        key: str,
        ok: bool,
        seconds: float,
        error: str | None,
        group: str | None,
        data: dict[str, Any],
    ) -> None:
        body = {"key": key, "ok": ok, "seconds": seconds, "error": error, "group": group, "data": data}
        if key in self._in_flight:
            body["possible_duplicate"] = True
        self._say("item.finished", body, data)
        now = time.monotonic()
        if now - self._reported_at > WRITTEN_ABOVE_SECONDS:  # work that took long is not left to chance
            self._link.write_down()
        self._reported_at = now

    def _say(self, type_: str, body: dict[str, Any], values: dict[str, Any]) -> None:
        """Queue an event; encode it now only if the job might change a value afterwards."""
        if SCALARS.issuperset(map(type, values.values())):
            self._link.put(type_, body)
        else:
            self._link.put_copy(type_, body)

    @contextmanager
    def _phase(self, data: dict[str, Any]) -> Iterator[None]:
        self._tracker.settle(sys.exc_info()[1])
        self._link.put("phase.started", data)
        yield
        self._link.put("phase.finished", data)


class _Measured:
    """A file from its start, as long as it was when its length was told.

    Args:
        file: The file.
        size: Bytes.
    """

    def __init__(self, file: IO[bytes], size: int) -> None:
        file.seek(0)
        self._file = file
        self._left = size

    def read(self, size: int) -> bytes:
        """The next bytes.

        Raises:
            Conflict: The file has become shorter.
        """
        some = self._file.read(min(size, self._left))
        if self._left and not some:
            raise Conflict(
                f"{self._file.name} became shorter while it was uploaded.",
                hint="Upload a file that nobody writes any more.",
            )
        self._left -= len(some)
        return some
