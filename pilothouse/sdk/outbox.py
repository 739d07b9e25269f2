"""What the job has said and the server has not yet stored.

`put` never waits and never touches the network. The sender takes batches;
numbers are given when a batch is made, so an event keeps its number however
often it is sent. Bounded: beyond `room`, log lines and progress are left out
and counted; results are always kept, and beyond twice the room the job waits.
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

from pilothouse.sdk.encoding import dump, encode

ROOM_EVENTS = 200_000
BATCH_EVENTS = 1_000
BATCH_BYTES = 900_000
DROPPABLE = frozenset({"log", "progress"})


class Encoded(NamedTuple):
    """An event that was encoded when it was queued, and what had to be cut from it."""

    json: bytes
    notice: str | None


class Ticket:
    """The answer to one event that asks for leave.

    Attributes:
        granted: True when the server stored the event, False when it refused it.
        patient: True waits for the server however long it is away.
        alone: The asker went on without an answer, because the server was away.
    """

    __slots__ = ("_settled", "alone", "granted", "patient")

    def __init__(self, patient: bool) -> None:
        self.granted = False
        self.patient = patient
        self.alone = False
        self._settled = threading.Event()

    def settle(self, granted: bool) -> None:
        """Answer the asker; only the first answer counts."""
        if not self._settled.is_set():
            self.granted = granted
            self._settled.set()

    def go_alone(self) -> None:
        """Let an impatient asker go on without an answer."""
        if not self.patient and not self._settled.is_set():
            self.alone = True
            self.settle(True)

    def wait(self) -> bool:
        """Wait for the answer."""
        self._settled.wait()
        return self.granted


@dataclass(frozen=True, slots=True)
class Batch:
    """Encoded events with consecutive numbers.

    Attributes:
        first: `client_seq` of the first event.
        events: JSON of each.
        tickets: Askers, by `client_seq`.
    """

    first: int
    events: list[bytes]
    tickets: dict[int, Ticket] = field(default_factory=dict)

    def body(self, attempt: int) -> bytes:
        """The request's body."""
        head = b'{"attempt":%d,"client_seq":%d,"events":[' % (attempt, self.first)
        return head + b",".join(self.events) + b"]}"

    def halves(self) -> tuple[Batch, Batch]:
        """The batch as two, earlier numbers first."""
        middle = len(self.events) // 2
        later = self.first + middle
        return (
            Batch(self.first, self.events[:middle], {n: t for n, t in self.tickets.items() if n < later}),
            Batch(later, self.events[middle:], {n: t for n, t in self.tickets.items() if n >= later}),
        )


class Outbox:
    """A queue with one taker. `put` may be called from any thread."""

    def __init__(self, room: int = ROOM_EVENTS) -> None:
        self._room = room
        self._entries: deque[tuple[str, Mapping[str, Any] | Encoded, Ticket | None]] = deque()
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._is_idle = False
        self._is_closed = False
        self._space = threading.Condition()
        self._dropped: Counter[str] = Counter()
        self.next_seq = 1

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, type_: str, data: Mapping[str, Any] | Encoded, ticket: Ticket | None = None) -> None:
        """Queue an event. A mapping is read later and must not change any more."""
        if len(self._entries) >= self._room and not self._has_room(type_):
            return
        self._entries.append((type_, data, ticket))
        if self._is_idle:
            self._is_idle = False
            self._bell.put(None)

    def _has_room(self, type_: str) -> bool:
        """Leave out what may be missed; hold up what may not, once memory runs short."""
        if type_ in DROPPABLE:
            self._dropped[type_] += 1
            return False
        with self._space:
            self._space.wait_for(lambda: self._is_closed or len(self._entries) < 2 * self._room)
        return not self._is_closed

    def close(self) -> None:
        """Nothing will be taken any more: what is put from now on may be discarded."""
        self._is_closed = True
        with self._space:
            self._space.notify_all()

    def ring(self) -> None:
        """Wake the taker though nothing is queued."""
        self._bell.put(None)

    def wait(self, seconds: float) -> None:
        """Return when something is queued, or `ring` was called, or time is up."""
        self._is_idle = True
        if not self._entries:
            with contextlib.suppress(Empty):
                self._bell.get(timeout=max(seconds, 0.0))
        self._is_idle = False

    def take(self) -> Batch | None:
        """Everything that is queued, up to the limits of one batch; None when nothing is."""
        batch = Batch(self.next_seq, [])
        size = 0
        while self._entries and len(batch.events) < BATCH_EVENTS - 1 and size < BATCH_BYTES - 70_000:
            type_, data, ticket = self._entries.popleft()
            if ticket is not None:
                batch.tickets[self.next_seq + len(batch.events)] = ticket
                if ticket.alone and not isinstance(data, Encoded):
                    data = {**data, "ask": False}
            encoded = data if isinstance(data, Encoded) else encoded_event(type_, data)
            batch.events.append(encoded.json)
            size += len(encoded.json)
            if encoded.notice:
                batch.events.append(said("warning", encoded.notice))
        self.next_seq += len(batch.events)
        with self._space:
            self._space.notify_all()
        return batch if batch.events else None

    def tell_dropped(self) -> None:
        """Queue one line that says what had to be left out, if anything."""
        if self._dropped and len(self._entries) < self._room:
            dropped, self._dropped = self._dropped, Counter()
            what = " and ".join(f"{count:,} {type_}" for type_, count in sorted(dropped.items()))
            text = f"The server was away for long: {what} events were left out. No result is missing."
            self.put("log", {"level": "warning", "source": "pilothouse", "text": text})


def encoded_event(type_: str, data: Mapping[str, Any]) -> Encoded:
    """Encode now. What cannot be encoded becomes a line in the log that says so."""
    try:
        return Encoded(*encode(type_, data))
    except Exception as error:  # values may be of any class, and change while they are read
        text = f"{type_} cannot be written as JSON and is left out: {type(error).__name__}: {error}"
        return Encoded(said("error", text), None)


def said(level: str, text: str) -> bytes:
    """A log event of Pilothouse itself, encoded."""
    return dump({"type": "log", "data": {"level": level, "source": "pilothouse", "text": text[:4000]}})
