"""A store that forgets everything when the process ends: for tests and for a quick look.

Every method runs from beginning to end in the event loop without waiting, so
each is as atomic as a transaction.
"""

from __future__ import annotations

import itertools
import math
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from pydantic_core import from_json

from pilothouse.contracts import FIRST_LEASE_SECONDS, Appended, Frame, NewRun
from pilothouse.errors import Conflict
from pilothouse.ids import new_epoch
from pilothouse.machines import Minute
from pilothouse.model import event as e
from pilothouse.model.run import Run, Status
from pilothouse.questions import Item, ItemPage, ItemQuery, Reuse, RunPage, RunQuery
from pilothouse.stores import reference as references
from pilothouse.stores import shelf as shelves
from pilothouse.stores.admission import (
    IDEMPOTENCY_WINDOW,
    JOB,
    KEPT_ATTEMPTS,
    Admission,
    Batch,
    Entry,
    admit,
    begin,
    fence,
    has_lease,
    start,
)
from pilothouse.stores.epoch import EPOCH, renamed
from pilothouse.stores.shelf import Shelf
from pilothouse.stores.trimming import METRIC, STATE, TRIMMED, surplus


@dataclass(slots=True)
class _Log:
    """One run with all that is kept of it."""

    entry: Entry
    frames: list[Frame] = field(default_factory=list)
    shelf: Shelf = field(default_factory=dict)
    numbers: dict[tuple[int, str], int] = field(default_factory=dict)
    first: int = 1


class MemoryStore:
    """The store contract on dictionaries.

    Args:
        now: Seconds on a clock that never goes back; leases compare it.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.epoch = new_epoch()
        self._now = now
        self._numbers = itertools.count(1)
        self._logs: dict[str, _Log] = {}
        self._known: dict[tuple[str, str], str] = {}
        self._minutes: dict[tuple[str, int], Minute] = {}

    async def open(self) -> None:
        """Nothing to do."""

    async def close(self) -> None:
        """Nothing to do."""

    async def renew_epoch(self) -> str:
        """Tell everybody that the logs are not those they knew."""
        self.epoch = new_epoch()
        for log in self._logs.values():
            log.entry = replace(log.entry, run=log.entry.run.changed({EPOCH: self.epoch}))
            log.frames[0] = replace(log.frames[0], data=renamed(log.frames[0].data, self.epoch))
        return self.epoch

    async def create(self, new: NewRun) -> tuple[Run, bool]:
        """Begin a log, or find the run of the same idempotency key."""
        known = self._known_run(new)
        if known is not None:
            return known, False
        if new.id in self._logs:
            raise Conflict(f"there is a run {new.id} already")
        reused = self._reused(new.reuse) if new.reuse else []
        admission = begin(new, next(self._numbers), self.epoch)
        for item in reused:
            admission.take(shelves.reused(item), None, admission.run.created_at)
        start(admission, new)
        lease = self._now() + FIRST_LEASE_SECONDS if admission.is_started else None
        log = _Log(admission.entry(lease))
        _write(log, admission)
        self._logs[new.id] = log
        if new.idempotency_key is not None:
            self._known[(new.owner, new.idempotency_key)] = new.id
        return admission.run, True

    async def append(
        self,
        run_id: str,
        bodies: Sequence[e.Body],
        *,
        attempt: int | None = None,
        client_seq: int | None = None,
        lenient: bool = False,
        expected: str | None = None,
        lapsed: bool = False,
        writer: str = JOB,
    ) -> Appended:
        """Append events: all, or none."""
        log = self._log(run_id)
        batch = Batch(run_id, bodies, attempt, client_seq, lenient, expected, writer, lapsed)
        finished = shelves.finished(log.shelf, batch.finished_keys())
        if batch.is_newcomer(log.entry) and (number := log.numbers.get((attempt or 0, writer))):
            log.entry = replace(log.entry, acked={writer: number, **log.entry.acked})
        admission = admit(log.entry, batch, finished, self._now)
        if batch.attempt is not None and admission.acked:
            log.numbers[batch.attempt, writer] = admission.acked
        lease = self._now() + FIRST_LEASE_SECONDS if admission.is_started else log.entry.lease_until
        log.entry = admission.entry(lease)
        _write(log, admission)
        return admission.appended()

    async def renew(self, run_id: str, attempt: int, seconds: float) -> Run:
        """Prolong the attempt's lease."""
        log = self._log(run_id)
        fence(log.entry.run, attempt)
        if has_lease(log.entry.run):
            log.entry = replace(log.entry, lease_until=self._now() + seconds)
        return log.entry.run

    async def get(self, run_id: str) -> Run:
        """The run by its id."""
        return self._log(run_id).entry.run

    async def resolve(self, reference: str) -> Run:
        """The run that a user means."""
        if reference in self._logs:
            return self._logs[reference].entry.run
        number = references.number_in(reference)
        tests: tuple[Callable[[Run], bool], ...] = (
            lambda run: run.number == number,
            lambda run: run.name == reference,
            lambda run: bool(reference) and run.id.startswith(reference),
        )
        newest = list(self._newest())
        if reference == references.LAST and newest:
            return newest[0]
        for fits in tests:
            run = references.choose(reference, [run for run in newest if fits(run)])
            if run is not None:
                return run
        raise references.unknown(reference)

    async def list(self, query: RunQuery) -> RunPage:
        """Runs newest first."""
        fitting = [run for run in self._newest() if _fits(run, query)]
        rest = [run for run in fitting if query.before is None or run.number < query.before]
        page = rest[: query.limit]
        before = page[-1].number if page and len(rest) > len(page) else None
        return RunPage(tuple(page), len(fitting), before)

    async def waiting(self, kinds: Sequence[str], limit: int) -> Sequence[Run]:
        """Queued runs, the most urgent first."""
        queued = [run for run in self._newest() if run.status is Status.QUEUED and run.kind in kinds]
        queued.sort(key=lambda run: (-run.priority, run.number))
        ready = [run for run in queued if not run.wait_seconds][:limit]
        later = [run for run in queued if run.wait_seconds]
        return sorted([*ready, *later], key=lambda run: (-run.priority, run.number))

    async def read(
        self, run_id: str, after: int, limit: int = 1000, types: Sequence[str] = (), newest: bool = False
    ) -> Sequence[Frame]:
        """Events with `seq > after`, ascending."""
        log = self._log(run_id)
        if not types:
            after = max(after, log.first - 1)
        frames = log.frames[bisect_right(log.frames, after, key=lambda frame: frame.seq) :]
        if types:
            frames = [frame for frame in frames if frame.type in types]
        return frames[max(0, len(frames) - limit) :] if newest else frames[:limit]

    async def first_seq(self, run_id: str) -> int:
        """Where the log begins."""
        return self._log(run_id).first

    async def trim(self, run_id: str, before: int) -> int:
        """Forget the beginning of a log."""
        log = self._log(run_id)
        end = min(before, log.entry.run.head)
        if end > log.first:
            log.first = end
            states = [frame.seq for frame in log.frames if frame.type == STATE]
            gone = {frame.seq for frame in log.frames if frame.seq < end and frame.type in TRIMMED}
            gone -= set(states[-1:])
            gone.update(surplus([f.seq for f in log.frames if f.seq < end and f.type == METRIC]))
            log.frames = [frame for frame in log.frames if frame.seq not in gone]
        return log.first

    async def items(self, run_id: str, query: ItemQuery) -> ItemPage:
        """Items newest first."""
        log = self._log(run_id)
        newest = sorted(log.shelf.values(), key=lambda item: -item.seq)
        fitting = [item for item in newest if _item_fits(item, query)]
        rest = [item for item in fitting if query.before is None or item.seq < query.before]
        if query.after is not None:
            rest = [item for item in rest[::-1] if item.seq > query.after]
        page = rest[: query.limit]
        told = tuple(replace(item, data=shelves.from_text(shelves.as_json(item.data))) for item in page)
        if query.after is not None:
            return ItemPage(told, 0, log.entry.run.head, None)
        before = page[-1].seq if page and len(rest) > len(page) else None
        return ItemPage(told, len(fitting), log.entry.run.head, before)

    async def finished_keys(self, run_id: str) -> Sequence[str]:
        """Keys of all finished items, the failed ones included."""
        shelf = self._log(run_id).shelf
        return sorted(shelves.finished(shelf, shelf))

    async def saved_state(self, run_id: str) -> dict[str, Any] | None:
        """The latest saved state."""
        frames = await self.read(run_id, 0, 1, (STATE,), newest=True)
        state: dict[str, Any] | None = from_json(frames[0].data)["data"]["state"] if frames else None
        return state

    async def acked(self, run_id: str) -> Mapping[str, int]:
        """What each writer was acknowledged."""
        log = self._log(run_id)
        attempt = log.entry.run.attempt
        told = {
            writer if each == attempt else f"{each}/{writer}": number
            for (each, writer), number in log.numbers.items()
            if each >= attempt - KEPT_ATTEMPTS
        }
        return {**told, **log.entry.acked}

    async def expired(self) -> Sequence[Run]:
        """Runs whose lease has run out."""
        now = self._now()
        entries = [log.entry for log in self._logs.values()]
        return [entry.run for entry in entries if entry.lease_until is not None and entry.lease_until < now]

    async def keep_minutes(self, minutes: Sequence[Minute], before: int) -> None:
        """Keep what machines were busy with, and forget the oldest."""
        self._minutes |= {(one.host, one.minute): one for one in minutes}
        self._minutes = {key: one for key, one in self._minutes.items() if one.minute >= before}

    async def minutes(self, host: str, since: int) -> Sequence[Minute]:
        """The kept minutes of a host, oldest first."""
        found = [one for one in self._minutes.values() if one.host == host and one.minute >= since]
        return sorted(found, key=lambda one: one.minute)

    async def last_minutes(self) -> Sequence[Minute]:
        """The newest minute of every host, by name."""
        newest = {one.host: one for _, one in sorted(self._minutes.items())}
        return list(newest.values())

    async def delete(self, run_id: str) -> None:
        """Remove a finished run with its log."""
        run = self._log(run_id).entry.run
        if not run.status.is_terminal:
            raise references.alive(run)
        del self._logs[run_id]

    def _log(self, run_id: str) -> _Log:
        if run_id not in self._logs:
            raise references.unknown(run_id)
        return self._logs[run_id]

    def _reused(self, reuse: Reuse) -> Sequence[Item]:
        """The results that another run begins with, oldest first."""
        until = math.inf if reuse.until is None else reuse.until
        kept = [item for item in self._log(reuse.run_id).shelf.values() if item.seq <= until]
        return sorted((item for item in kept if item.state in reuse.states), key=lambda item: item.seq)

    def _newest(self) -> Iterator[Run]:
        return (log.entry.run for log in reversed(self._logs.values()))

    def _known_run(self, new: NewRun) -> Run | None:
        if new.idempotency_key is None:
            return None
        log = self._logs.get(self._known.get((new.owner, new.idempotency_key), ""))
        if log is None:
            return None
        made_at = datetime.fromisoformat(log.entry.run.created_at)
        return log.entry.run if datetime.now(UTC) - made_at < IDEMPOTENCY_WINDOW else None


def _write(log: _Log, admission: Admission) -> None:
    log.frames += admission.frames
    for event in admission.events:
        shelves.put(log.shelf, event, admission.run.attempt)


def _fits(run: Run, query: RunQuery) -> bool:
    text = (query.text or "").lower()
    return (
        (not query.statuses or run.status in query.statuses)
        and (not query.kinds or run.kind in query.kinds)
        and (query.owner is None or run.owner == query.owner)
        and (query.host is None or run.host == query.host)
        and (query.tag is None or query.tag in run.tags)
        and (text in run.name.lower() or text in run.id.lower())
    )


def _item_fits(item: Item, query: ItemQuery) -> bool:
    text = (query.text or "").lower()
    data = shelves.as_json(item.data).lower()
    return (
        (not query.states or item.state in query.states)
        and all(
            shelves.as_json(item.data.get(name)) in shelves.spellings(value)
            for name, value in query.where.items()
        )
        and (
            text in item.key.lower()
            or text in (item.error or "").lower()
            or shelves.as_json(text)[1:-1] in data
        )
    )
