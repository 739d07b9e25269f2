"""The thread that writes down what the job says, whether the server is there or not."""

from __future__ import annotations

import threading
from collections.abc import Callable

from pilothouse.sdk.outbox import Outbox, Taken, Ticket, said
from pilothouse.sdk.spool import Spool

OVERFLOW = 1.25
ROOM_SECONDS = 0.1


class Scribe:
    """Takes what is queued and hands it to the spool.

    Args:
        outbox: What the job said.
        spool: Where it goes.
        is_away: Whether the server is away.
        is_over: Whether the attempt must leave.
        on_full: Called when the spool is full and the server away: the job has to stop.

    Attributes:
        tickets: Askers, by the number of the event that asks.
        is_writing: True while events may be in neither the outbox nor the spool.
    """

    def __init__(
        self,
        outbox: Outbox,
        spool: Spool,
        is_away: Callable[[], bool],
        is_over: Callable[[], bool],
        on_full: Callable[[], None],
    ) -> None:
        self.tickets: dict[int, Ticket] = {}
        self.is_writing = False
        self._outbox = outbox
        self._spool = spool
        self._is_away = is_away
        self._is_over = is_over
        self._on_full = on_full
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work_always, name="pilothouse-scribe", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def close(self, seconds: float) -> None:
        """Write down what is left, for at most so long."""
        self._closing.set()
        self._outbox.ring()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(seconds)

    def _work_always(self) -> None:
        while not self._closing.is_set():
            self._outbox.wait()
            self._write_all()
        self._write_all()

    def _write_all(self) -> None:
        self.is_writing = True
        while len(self._outbox):
            has_room = self._has_room()
            taken = self._outbox.take(self._spool.urgency)
            if has_room:
                self._write(taken)
            else:  # nobody can keep it: the next attempt does these items again
                for ticket in (*taken.tickets.values(), *taken.waiting):
                    ticket.settle(False)
        if self._outbox.has_dropped or self._spool.lost:
            self._write(Taken())
        self.is_writing = False

    def _has_room(self) -> bool:
        """Wait for room while the server is there to make some; else have the job stop.

        A job that stops says a few things more, for which there is a reserve.
        """
        spool = self._spool
        while spool.pressure >= 1.0 and not self._closing.is_set() and not self._is_over():
            if self._is_away():
                self._on_full()
                break
            spool.wait_for_room(ROOM_SECONDS)
        return spool.pressure < OVERFLOW

    def _write(self, taken: Taken) -> None:
        spool = self._spool
        with spool.changed:  # the sender must find the tickets, and who flushes what is left out
            may_tell = self._closing.is_set() or spool.lost or not spool.urgency
            if may_tell and (words := self._left_out()):
                taken.events.append(said("warning", words))
            if taken.events:
                first = spool.add(taken.events)
                self.tickets.update((first + place, ticket) for place, ticket in taken.tickets.items())
        for ticket in taken.waiting:
            ticket.settle(True)

    def _left_out(self) -> str:
        """What was left out, in words."""
        lost, self._spool.lost = self._spool.lost, 0
        words = f"The disk did not give back {lost:,} events. " if lost else ""
        return (words + self._outbox.take_dropped()).rstrip()
