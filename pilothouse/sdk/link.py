"""The job's connection to the server: events go up, controls come down.

Three threads. The scribe writes what is queued to the spool. The sender takes the
oldest of it, sends it as one numbered batch and repeats the batch until it is
acknowledged: the server skips the numbers it knows, so nothing gets lost and
nothing doubled while the server is away. The listener follows the control wire.
What the server says last, by either way, is the run's `state`; `asked` is False
while there is nothing to obey.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from pilothouse import failpoint
from pilothouse.errors import LeaseLost, NotFound, PilothouseError
from pilothouse.sdk.batch import FINAL, Batch, post
from pilothouse.sdk.outbox import WRITTEN, Outbox, Ticket, encoded_event, said
from pilothouse.sdk.scribe import Scribe
from pilothouse.sdk.spool import Spool
from pilothouse.sdk.state import State
from pilothouse.sdk.wire import UNREACHABLE, Answer, Waits, Wire, call

HEARTBEAT_SECONDS = 5.0
LONGEST_ANSWER_SECONDS = 30.0
ORPHAN_SECONDS = 600.0
SILENCE_SECONDS = 15.0
CONFIRM_SECONDS = 0.2
CLOSE_SECONDS = 2.0
WRITE_SECONDS = 0.05
BEHIND_EVENTS = 1_000


class Link:
    """One attempt's connection. `put` and `asked` may be used from any thread.

    Args:
        server: Base URL.
        token: Bearer token.
        run_id: The run.
        attempt: The write fence.
        heartbeat_seconds: How often the lease is renewed.
        orphan_seconds: How long the server may be away before the job has to leave.
        outbox: What the job says is queued here.
        writer: Who of the attempt's processes this is; each counts its own events.
        spool: Where events wait for the server; in memory by default.

    Attributes:
        mark: Called with the key of an item that is about to begin.
        asked: True when `safepoint` has something to obey.
        state: What the server last said.
        is_away: True while the server does not answer.
        is_fenced: True once the attempt may not write any more.
        is_cut_off: True once the server was away for longer than `orphan_seconds`, or for
            so long that nothing more could be kept for it.
    """

    def __init__(
        self,
        server: str,
        token: str,
        run_id: str,
        attempt: int,
        *,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        orphan_seconds: float = ORPHAN_SECONDS,
        outbox: Outbox | None = None,
        writer: str = "job",
        spool: Spool | None = None,
    ) -> None:
        self.asked = False
        self.state = State()
        self.is_away = self.is_fenced = self.is_cut_off = False
        self._server, self._token = server, token
        self._path = f"/api/runs/{run_id}"
        self._attempt = attempt
        self._heartbeat_seconds = heartbeat_seconds
        self._orphan_seconds = orphan_seconds
        self._writer = writer
        self._outbox = Outbox() if outbox is None else outbox
        self._outbox.on_stall = self._cut_off
        self._spool = Spool(None, attempt, writer) if spool is None else spool
        self._scribe = Scribe(
            self._outbox, self._spool, lambda: self.is_away, self._is_over, self._stop_for_want_of_room
        )
        self.put = self._outbox.put
        self.mark = self._spool.mark
        self._changed = threading.Condition()
        self._listeners: list[Callable[[], None]] = []
        self._on_live: Callable[[dict[str, Any]], None] = lambda live: None
        self._tickets: set[Ticket] = set()
        self._inherited = self._spool.last
        self._is_behind = len(self._spool) > BEHIND_EVENTS
        self._away_since: float | None = None
        self._heard_head = 0
        self._hearing = threading.Lock()
        self._next_beat = time.monotonic()
        self._closing = threading.Event()

    def start(
        self, state: State | None = None, on_live: Callable[[dict[str, Any]], None] | None = None
    ) -> None:
        """Begin to send and to listen.

        Args:
            state: What the server said when it handed out the run.
            on_live: Called with the live params whenever the server tells them.
        """
        self._on_live = on_live or self._on_live
        self._set_state(state or self.state)
        self._scribe.start()
        for work in (self._send_always, self._listen_always):
            threading.Thread(
                target=work, name=f"pilothouse-{work.__name__.split('_')[1]}", daemon=True
            ).start()

    def close(self) -> None:
        """Stop all threads; what is not yet acknowledged stays in the run's folder. Who still asks is refused."""
        self._closing.set()
        self._outbox.close()
        self._scribe.close(CLOSE_SECONDS)
        for ticket in tuple(self._tickets):
            ticket.settle(False)
        self._spool.ring()
        self._spool.close(is_run_over=self.state.is_terminal or self.state.pending == "cancel")
        self.notify()

    # What the job asks of the server

    def put_copy(self, type_: str, data: Mapping[str, Any]) -> None:
        """Queue an event whose nested values the job may change afterwards."""
        self.put(type_, encoded_event(type_, data))

    def write_down(self) -> None:
        """Wait a moment until all that was said is on the disk."""
        if not self._is_over():
            ticket = Ticket(patient=False)
            self.put(WRITTEN, {}, ticket)
            ticket.wait(WRITE_SECONDS)

    def ask(self, type_: str, data: Mapping[str, Any], *, patient: bool = False) -> bool:
        """Send an event and wait until the server has stored or refused it.

        While the server is away, and while it is told what it missed, the answer is
        yes, unless the asker is patient: a restart of the server must not stall the job.
        """
        ticket = Ticket(patient)
        self._tickets.add(ticket)
        if self.is_away or self._is_behind:
            ticket.go_alone()
        if self.is_fenced or self.is_cut_off:
            ticket.settle(False)
        elif self._closing.is_set():  # nobody will answer, and what a script does after its block is its own
            ticket.settle(True)
        self.put(type_, data, ticket)
        try:
            return ticket.wait()
        finally:
            self._tickets.discard(ticket)

    def flush(self, seconds: float | None = None) -> bool:
        """Wait until all that was queued is acknowledged; False when time ran out or the link is over."""
        with self._changed:
            return self._changed.wait_for(lambda: self._is_empty() or self._is_over(), seconds) and (
                self._is_empty()
            )

    def catch_up(self, seconds: float | None = None) -> bool:
        """Wait until the server has what earlier attempts left behind; False as for `flush`."""
        with self._changed:
            return self._changed.wait_for(lambda: self._is_caught_up() or self._is_over(), seconds) and (
                self._is_caught_up()
            )

    def call(
        self,
        method: str,
        path: str,
        body: Callable[[], Any] | None = None,
        headers: Mapping[str, str] | None = None,
        patience_seconds: float = ORPHAN_SECONDS,
    ) -> Answer:
        """One request beside the events, repeated while the server is away.

        Args:
            method: `GET` or `POST`.
            path: Below the run's own path.
            body: Opens the body anew for each try.
            headers: Further headers.
            patience_seconds: How long to repeat it.

        Raises:
            PilothouseError: The server refuses, or was away for too long (`Unavailable`).
        """
        wire = self._make_wire(min(LONGEST_ANSWER_SECONDS, max(patience_seconds, 1.0)))
        return call(wire, method, self._path + path, body, headers, patience_seconds)

    # Waiting for the server's word

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after every change, until the returned function is called."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def wait_until(self, is_true: Callable[[], bool], seconds: float | None = None) -> bool:
        """Wait until a condition holds that `notify` or a change of the state may make true."""
        with self._changed:
            return self._changed.wait_for(is_true, seconds)

    def notify(self) -> None:
        """Have all who wait look again."""
        with self._changed:
            self._changed.notify_all()
        for listener in tuple(self._listeners):
            listener()

    def _set_state(self, state: State) -> None:
        if state == self.state and self.asked == self._must_obey():
            return
        self.state = state
        self.asked = self._must_obey()
        self.notify()

    def _must_obey(self) -> bool:
        return self.is_fenced or self.is_cut_off or not self.state.is_quiet

    def _hear(self, said: Mapping[str, Any]) -> None:
        """Take over what the server says of the run, unless something newer is known.

        Two connections tell it, so an older word may come last; `head` tells which is newer.
        """
        with self._hearing:
            head = said.get("head", 0)
            if head < self._heard_head:
                return
            self._heard_head = head
            if live := said.get("live"):
                self._on_live(live)
                self._notify_waiting()
            if "status" in said:
                self._set_state(State(said["status"], said.get("pending"), said.get("strength")))

    def _fence(self) -> None:
        self.is_fenced = True
        self._end_asking()

    def _cut_off(self) -> None:
        """Have the job leave; what it says until then is still written down."""
        self.is_cut_off = True
        self._end_asking()

    def _stop_for_want_of_room(self) -> None:
        text = "No server answers, and there is no room for more results. The job stops; they are kept."
        self._spool.add([said("error", text)])
        self._cut_off()

    def _end_asking(self) -> None:
        """Nobody may go on: refuse those who wait."""
        self.asked = True
        for ticket in tuple(self._tickets):
            ticket.settle(False)
        self.notify()

    def _is_empty(self) -> bool:
        # in this order, in which an event goes its way
        is_said = not len(self._outbox) and not self._outbox.has_dropped
        return is_said and not self._scribe.is_writing and self._spool.is_empty

    def _is_caught_up(self) -> bool:
        return self._spool.acked >= self._inherited

    def _is_over(self) -> bool:
        return self.is_fenced or self.is_cut_off or self._closing.is_set()

    # The sender

    def _send_always(self) -> None:
        wire = self._make_wire()
        while not self._is_over():
            self._spool.wait(self._next_beat - time.monotonic())
            if time.monotonic() >= self._next_beat:
                self._next_beat = time.monotonic() + self._heartbeat_seconds
                self._deliver(wire, Batch(self._spool.last + 1, []))
            if entries := self._spool.batch():
                self._deliver(wire, Batch(entries[0][0], [event for _, event in entries]))
                self._notify_waiting()
            if self._spool.lost:
                self._outbox.ring()
        wire.close()

    def _make_wire(self, timeout: float = 10.0) -> Wire:
        return Wire(self._server, self._token, timeout)

    def _notify_waiting(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _deliver(self, wire: Wire, batch: Batch, *, may_divide: bool = True) -> None:
        """Send a batch until the server has taken it. A heartbeat is an empty batch.

        The one event that the server will never take is replaced by a line in the log.
        Whoever refuses that line too takes nothing at all, and counts as away.
        """
        waits = Waits()
        while not self._is_over():
            failpoint.reach("sdk.batch.before")
            try:
                answer = post(wire, self._path, batch, self._attempt, self._writer)
            except PilothouseError as refusal:
                error = refusal
            else:
                failpoint.reach("sdk.batch.answered")
                self._acknowledge(batch, answer)
                return
            if isinstance(error, LeaseLost | NotFound):
                self._fence()
                return
            if may_divide and isinstance(error, FINAL):
                for part in batch.instead(error):
                    self._deliver(wire, part, may_divide=len(batch.events) > 1)
                return
            self._go_away()
            self._closing.wait(waits.next())

    def _acknowledge(self, batch: Batch, answer: dict[str, Any]) -> None:
        refused = answer.get("refused") or {}
        seen = self.state
        self._hear(answer)
        if self.state is not seen:  # the wire may see no change in pause, paused, resumed: look again soon
            self._next_beat = min(self._next_beat, time.monotonic() + CONFIRM_SECONDS)
        self._away_since = None
        self.is_away = False
        if batch.events:
            self._spool.acknowledge(batch.numbers[-1])
        self._is_behind = self._is_behind and len(self._spool) > BEHIND_EVENTS
        if self._outbox.has_dropped:
            self._outbox.ring()
        self._settle(batch, refused)

    def _settle(self, batch: Batch, refused: Mapping[str, str]) -> None:
        tickets = self._scribe.tickets
        for number in batch.numbers if tickets else ():
            if ticket := tickets.pop(number, None):
                ticket.settle(str(number) not in refused)

    def _go_away(self) -> None:
        """The server does not answer: let those go on who wait for its leave."""
        now = time.monotonic()
        self._away_since = self._away_since or now
        self.is_away = self._is_behind = True
        for ticket in tuple(self._tickets):
            ticket.go_alone()
        self.notify()
        if now - self._away_since >= self._orphan_seconds:
            self._cut_off()

    # The listener

    def _listen_always(self) -> None:
        waits = Waits()
        while not self._is_over():
            try:
                for line in self._make_wire(SILENCE_SECONDS).lines(
                    f"{self._path}/controls?attempt={self._attempt}"
                ):
                    waits = Waits()
                    if line.startswith(b"data:"):
                        self._hear(json.loads(line[5:]))
                    if self._is_over():
                        return
            except (LeaseLost, NotFound):
                self._fence()
            except (PilothouseError, ValueError, *UNREACHABLE):
                pass
            self._closing.wait(waits.next())
