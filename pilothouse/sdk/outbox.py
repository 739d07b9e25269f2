"""What the job has said and nobody has written down yet.

`put` never touches the network or a disk. One taker encodes what is queued and
hands it to the spool, at once, whether the server is there or not; so the queue
is short. Bounded all the same: beyond `room`, log lines, progress and what tells of
the machine are left out and counted; what may not be missed waits for the taker, and never longer than
`LONGEST_WAIT_SECONDS`.
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

from pilothouse.sdk.encoding import dump, encode

ROOM_EVENTS = 50_000
TAKEN_EVENTS = 1_000
TAKEN_BYTES = 1_000_000
LONGEST_WAIT_SECONDS = 5.0
METRICS_KEPT = 10
WRITTEN = "written"  # no event: the ticket is settled once all before it is written down
SYSTEM = "system"  # a metric that tells of the machine; its event says `metric`
DROPPABLE = frozenset({"log", "progress", SYSTEM})


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

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the answer; False when time ran out."""
        self._settled.wait(seconds)
        return self.granted


@dataclass(slots=True)
class Taken:
    """Events taken out of the queue, encoded.

    Attributes:
        events: JSON of each.
        tickets: Askers, by place in `events`.
        waiting: Those who wait until the events are written down.
    """

    events: list[bytes] = field(default_factory=list)
    tickets: dict[int, Ticket] = field(default_factory=dict)
    waiting: list[Ticket] = field(default_factory=list)


class Outbox:
    """A queue with one taker. `put` may be called from any thread.

    Args:
        room: Events, at least 1.
        longest_wait_seconds: How long `put` may wait for room.

    Attributes:
        on_stall: Called, in the thread that puts, when there was no room for that long.
    """

    def __init__(
        self, room: int = ROOM_EVENTS, *, longest_wait_seconds: float = LONGEST_WAIT_SECONDS
    ) -> None:
        self.on_stall: Callable[[], None] = lambda: None
        self._room = room
        self._longest_wait_seconds = longest_wait_seconds
        self._entries: deque[tuple[str, Mapping[str, Any] | Encoded, Ticket | None]] = deque()
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._is_idle = False
        self._is_closed = False
        self._space = threading.Condition()
        self._dropped: Counter[str] = Counter()
        self._metrics = 0

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
        """Leave out what may be missed; hold up what may not, for a time."""
        if type_ in DROPPABLE:
            self._dropped[type_] += 1
            return False
        with self._space:
            has_room = self._space.wait_for(
                lambda: self._is_closed or len(self._entries) < self._room, self._longest_wait_seconds
            )
        if not has_room:
            self._is_closed = True
            self.on_stall()
        return not self._is_closed

    def close(self) -> None:
        """Nobody needs what is put from now on: it is discarded once there is no room."""
        self._is_closed = True
        with self._space:
            self._space.notify_all()

    def ring(self) -> None:
        """Wake the taker though nothing is queued."""
        self._bell.put(None)

    def wait(self, seconds: float | None = None) -> None:
        """Return when something is queued, or `ring` was called, or time is up."""
        self._is_idle = True
        if not self._entries:
            with contextlib.suppress(Empty):
                self._bell.get(timeout=seconds)
        self._is_idle = False

    def take(self, pressure: int = 0) -> Taken:
        """Everything that is queued, up to the limits of one write.

        Args:
            pressure: 1 leaves out log lines, progress and the machine, 2 also nine in ten metrics.
        """
        taken = Taken()
        size = 0
        while self._entries and len(taken.events) < TAKEN_EVENTS and size < TAKEN_BYTES:
            type_, data, ticket = self._entries.popleft()
            if pressure and self._is_missable(type_, pressure):
                continue
            if type_ == WRITTEN and ticket is not None:
                taken.waiting.append(ticket)
                continue
            if ticket is not None:
                taken.tickets[len(taken.events)] = ticket
                if ticket.alone and not isinstance(data, Encoded):
                    data = {**data, "ask": False}
            encoded = data if isinstance(data, Encoded) else encoded_event(type_, data)
            taken.events.append(encoded.json)
            size += len(encoded.json)
            if encoded.notice:
                taken.events.append(said("warning", encoded.notice))
        with self._space:
            self._space.notify_all()
        return taken

    def _is_missable(self, type_: str, pressure: int) -> bool:
        """True for an event that is left out, which is counted."""
        if type_ == "metric" and pressure > 1:
            self._metrics += 1
            is_missed = self._metrics % METRICS_KEPT != 1
        else:
            is_missed = type_ in DROPPABLE
        self._dropped[type_] += is_missed
        return is_missed

    @property
    def has_dropped(self) -> bool:
        """True while something was left out that nobody was told of."""
        return self._dropped.total() > 0

    def take_dropped(self) -> str:
        """What had to be left out since this was asked last, in words; empty when nothing."""
        dropped, self._dropped = +self._dropped, Counter()
        if not dropped:
            return ""
        what = " and ".join(f"{count:,} {type_}" for type_, count in sorted(dropped.items()))
        return f"The server was away for long: {what} events were left out. No result is missing."


def encoded_event(type_: str, data: Mapping[str, Any]) -> Encoded:
    """Encode now. What cannot be encoded becomes a line in the log that says so."""
    try:
        return Encoded(*encode("metric" if type_ == SYSTEM else type_, data))
    except Exception as error:  # values may be of any class, and change while they are read
        text = f"{type_} cannot be written as JSON and is left out: {type(error).__name__}: {error}"
        return Encoded(said("error", text), None)


def said(level: str, text: str) -> bytes:
    """A log event of Pilothouse itself, encoded."""
    return dump({"type": "log", "data": {"level": level, "source": "pilothouse", "text": text[:4000]}})
