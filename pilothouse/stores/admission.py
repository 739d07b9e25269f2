"""What an append may write: fence, skip what is known, fold the rest.

Pure: both stores call it before they write anything, so a request that is
refused leaves no trace and cannot spoil the others of its transaction.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pydantic_core import from_json, to_json

from pilothouse import clock
from pilothouse.contracts import MAX_APPEND, WRITER_NAME, Appended, Frame, NewRun
from pilothouse.errors import Changed, Invalid, InvalidTransition, LeaseLost, TooLarge
from pilothouse.model import event as e
from pilothouse.model.fold import fold
from pilothouse.model.run import Run

MAX_WRITERS = 64  # kept in a run's row; of the others the log tells
KEPT_ATTEMPTS = 8
JOB = "job"
IDEMPOTENCY_WINDOW = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Entry:
    """What a store keeps of a run beside its log.

    Attributes:
        acked: Highest `client_seq` that is stored or refused, by writer of the current attempt,
            the 64 that wrote last, oldest first; and by `<attempt>/<writer>` of the last ones before it.
        lease_until: Seconds on the database's clock; None unless an attempt is alive.
    """

    run: Run
    acked: Mapping[str, int] = field(default_factory=dict)
    lease_until: float | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """The arguments of one append."""

    run_id: str
    bodies: Sequence[e.Body]
    attempt: int | None = None
    client_seq: int | None = None
    lenient: bool = False
    expected: str | None = None
    writer: str = JOB
    lapsed: bool = False

    def is_newcomer(self, entry: Entry) -> bool:
        """Whether its writer counts, and the run's row says nothing of it: it may have written before."""
        counts = self.client_seq is not None and self.attempt == entry.run.attempt
        is_known = self.writer == JOB or self.writer in entry.acked
        return counts and not is_known and is_name(self.writer)

    def number(self, index: int) -> int | None:
        """The `client_seq` of a body; None when the writer does not count."""
        if self.client_seq is None or self.attempt is None:
            return None
        return self.client_seq + index

    def finished_keys(self) -> set[str]:
        """The keys whose `item.finished` is left out when it is the second one."""
        if not self.lenient:
            return set()
        return {body.key for body in self.bodies if isinstance(body, e.ItemFinished)}


class Admission:
    """What a batch comes to.

    Attributes:
        run: The run after it.
        acked: Highest `client_seq` of the batch's writer after it.
        writer: Who counts these numbers.
        events: The new events, in order.
        frames: The same, encoded.
        numbers: The `client_seq` of each event, None from a writer that does not count.
        refused: Why a body is left out, by its `client_seq` (or its place, counted from 1).
        is_started: An attempt began; its lease begins now.
    """

    __slots__ = ("_others", "acked", "events", "frames", "is_started", "numbers", "refused", "run", "writer")

    def __init__(self, entry: Entry, writer: str = JOB) -> None:
        self.run = entry.run
        self.writer = writer
        self.acked = entry.acked.get(writer, 0)
        self._others = entry.acked
        self.events: list[e.Event] = []
        self.frames: list[Frame] = []
        self.numbers: list[int | None] = []
        self.refused: dict[int, str] = {}
        self.is_started = False

    def take(self, body: e.Body, number: int | None, time: str) -> None:
        """Fold one body.

        Raises:
            InvalidTransition: The state forbids it; nothing has changed.
            Invalid: It cannot be written as JSON.
        """
        event = e.Event(self.run.id, self.run.head + 1, time, body)
        self.run = fold(self.run, event)
        self.keep(event, number)
        if isinstance(body, e.RunStarted):
            self.acked, self._others = 0, _ended(self._others, body.attempt - 1)
            self.is_started = True

    def keep(self, event: e.Event, number: int | None = None) -> None:
        """Add an event that is folded already."""
        self.frames.append(Frame(event.seq, event.body.type, _encode(event)))
        self.events.append(event)
        self.numbers.append(number)

    def appended(self) -> Appended:
        """The answer to the append."""
        return Appended(self.run, tuple(self.frames), self.acked, self.refused)

    def entry(self, lease_until: float | None) -> Entry:
        """What is kept of the run after it; without a live attempt there is no lease."""
        acked = _noted(self._others, self.writer, self.acked) if self.acked else self._others
        return Entry(self.run, acked, lease_until if has_lease(self.run) else None)


def admit(entry: Entry, batch: Batch, finished: Set[str], now: Callable[[], float]) -> Admission:
    """Fold a batch into a run.

    Args:
        entry: The run before it.
        batch: The append.
        finished: Keys of items that have a result; those that the batch does not name may be missing.
        now: Seconds on the database's clock.

    Raises:
        LeaseLost: The batch's attempt is not the current one, or the run has ended.
        Changed: The run is no longer in the version that the batch expects, or its lease lives.
        InvalidTransition: The state forbids a body of a batch that is not lenient.
        Invalid: A body cannot be written as JSON, or the writer's name is malformed.
        TooLarge: More than 1,000 bodies.
    """
    if len(batch.bodies) > MAX_APPEND:
        raise TooLarge(f"{len(batch.bodies)} events in one append; {MAX_APPEND} at most")
    admission = Admission(entry, batch.writer)
    known = _count_known(entry, batch)
    if known and known == len(batch.bodies):
        return admission
    fence(entry.run, batch.attempt)
    _compare(entry.run, batch.expected)
    if batch.lapsed and entry.lease_until is not None and entry.lease_until >= now():
        raise Changed(f"{entry.run.id} has been heard of again", version=entry.run.version)
    _check_writer(entry, batch)
    time = max(clock.now(), entry.run.last_event_at or "")
    fresh: set[str] = set()
    is_lenient = batch.lenient
    for index, body in enumerate(batch.bodies[known:], start=known):
        number = batch.number(index)
        try:
            if is_lenient and isinstance(body, e.ItemFinished):
                if body.key in finished or body.key in fresh:
                    raise InvalidTransition(f"the item {body.key!r} is finished already")
                fresh.add(body.key)
            admission.take(body, number, time)
        except InvalidTransition as error:
            if not is_lenient:
                raise
            admission.refused[number or index + 1] = error.message
        if number is not None:
            admission.acked = max(admission.acked, number)
    return admission


def fence(run: Run, attempt: int | None) -> None:
    """Refuse a writer whose attempt no longer owns the run.

    Raises:
        LeaseLost: With the reason in words.
    """
    if attempt is None:
        return
    if attempt != run.attempt:
        raise LeaseLost(
            f"attempt {attempt} of {run.id} may not write: attempt {run.attempt} owns the run",
            attempt=run.attempt,
        )
    if run.status.is_terminal:
        raise LeaseLost(f"attempt {attempt} of {run.id} may not write: the run is {run.status}")


def _compare(run: Run, expected: str | None) -> None:
    """Refuse whoever decided on a version of the run that is gone."""
    if expected is not None and expected != run.version:
        raise Changed(
            f"{run.id} has moved on: its version is {run.version}, not {expected}",
            hint="Look at the run again, then decide again.",
            version=run.version,
        )


def _check_writer(entry: Entry, batch: Batch) -> None:
    """Each writer takes room in the run's row, so their names are short."""
    if batch.writer == JOB or batch.writer in entry.acked:
        return
    if not is_name(batch.writer):
        hint = "1 to 32 characters out of a-z, 0-9 and the hyphen."
        raise Invalid(f"writer: {batch.writer!r} is not a writer's name", hint=hint, field="writer")


def is_name(writer: str) -> bool:
    """Whether a writer may be called so."""
    return re.fullmatch(WRITER_NAME, writer) is not None


def _noted(acked: Mapping[str, int], writer: str, number: int) -> Mapping[str, int]:
    """The numbers with one writer's newest; who has not written for longest gives its place to a newcomer."""
    others = {name: n for name, n in acked.items() if name != writer}
    present = [name for name in others if "/" not in name and name != JOB]
    for name in present[: max(0, len(present) + 1 - MAX_WRITERS)]:
        del others[name]
    return others | {writer: number}


def _ended(acked: Mapping[str, int], attempt: int) -> dict[str, int]:
    """The numbers of an attempt that has ended, for the one that takes over its spool."""
    named = {name if "/" in name else f"{attempt}/{name}": number for name, number in acked.items()}
    return {name: n for name, n in named.items() if int(name.partition("/")[0]) > attempt - KEPT_ATTEMPTS}


def has_lease(run: Run) -> bool:
    """True while there is somebody whose lease is kept.

    Asked here and nowhere else, so that a test can plant a bug in the stores alone.
    """
    return run.is_active


def begin(new: NewRun, number: int, epoch: str) -> Admission:
    """The log of a new run: `run.queued`.

    Raises:
        Invalid: The params cannot be written as JSON.
    """
    time = clock.now()
    queued = e.RunQueued(
        number=number,
        kind=new.kind,
        name=new.name,
        owner=new.owner,
        params=_plain(new),
        tags=new.tags,
        priority=new.priority,
        retry_of=new.retry_of,
        epoch=epoch,
        attached=new.process is not None,
    )
    event = e.Event(new.id, 1, time, queued)
    admission = Admission(Entry(fold(None, event)))
    admission.keep(event)
    return admission


def start(admission: Admission, new: NewRun) -> Admission:
    """The same with the start of the run's own process, if it has one."""
    if new.process is not None:
        time = max(clock.now(), admission.run.last_event_at or "")
        admission.take(e.RunStarted(attempt=1, host=new.process), None, time)
    return admission


def _count_known(entry: Entry, batch: Batch) -> int:
    """How many bodies at the beginning of the batch are stored or refused already."""
    if batch.client_seq is None or batch.attempt is None or batch.attempt != entry.run.attempt:
        return 0
    acked = entry.acked.get(batch.writer, 0)
    return min(max(acked - batch.client_seq + 1, 0), len(batch.bodies))


def _encode(event: e.Event) -> bytes:
    try:
        return event.frame()
    except (ValueError, TypeError) as error:  # a lone surrogate, or an object that JSON does not know
        raise Invalid(f"event {event.body.type!r} cannot be written as JSON: {error}", field="data") from None


def _plain(new: NewRun) -> dict[str, Any]:
    """The params as the log will tell them: NaN as a word, tuples as lists."""
    try:
        params: dict[str, Any] = from_json(to_json(new.params, inf_nan_mode="strings"))
    except (ValueError, TypeError) as error:
        raise Invalid(f"params cannot be written as JSON: {error}", field="params") from None
    return params
