"""The link of a script that executes its own run: whatever becomes of the record, the script goes on.

A host's job leaves when its attempt is lost, for another attempt does the rest.
Nobody takes over from a script that was started by hand. So it goes on without a
record when there is no server, when its lease ran out while the machine slept,
or when there is no room for what it says. A cancel is obeyed all the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from pilothouse.errors import PilothouseError
from pilothouse.sdk.link import HEARTBEAT_SECONDS, Link
from pilothouse.sdk.spool import Spool
from pilothouse.sdk.state import State
from pilothouse.sdk.wire import Answer, call

NOTHING = Answer(200, b'{"items": [], "before": null, "series": {}}')
LOOK_SECONDS = 3.0


class ScriptLink(Link):
    """A link that lets go of the run rather than of the script.

    Args:
        server: Base URL.
        token: Bearer token.
        run_id: The run; empty without one.
        spool: Where events wait for the server; None without a run: then nothing is ever sent.
        say: Tells the user one line.
        heartbeat_seconds: How often the lease is renewed.

    Attributes:
        is_recorded: False once the script goes on without a record.
        is_ending: True once the script has said its last word.
    """

    def __init__(
        self,
        server: str,
        token: str,
        run_id: str,
        spool: Spool | None,
        say: Callable[[str], None],
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
    ) -> None:
        super().__init__(
            server,
            token,
            run_id,
            1,
            heartbeat_seconds=heartbeat_seconds,
            orphan_seconds=math.inf,
            writer=spool.writer if spool else "job",
            spool=spool,
        )
        self.is_recorded = True
        self.is_ending = False
        self._say = say
        if spool is None:
            self._stop_recording()

    def ask(self, type_: str, data: Mapping[str, Any], *, patient: bool = False) -> bool:
        """As for a job; without a record the answer is yes."""
        return super().ask(type_, data, patient=patient) if self.is_recorded else True

    def call(
        self,
        method: str,
        path: str,
        body: Callable[[], Any] | None = None,
        headers: Mapping[str, str] | None = None,
        patience_seconds: float = LOOK_SECONDS,
    ) -> Answer:
        """As for a job; without a record there is nothing to find and nothing to store."""
        return super().call(method, path, body, headers, patience_seconds) if self.is_recorded else NOTHING

    def _is_over(self) -> bool:
        return super()._is_over() or not self.is_recorded

    def _set_state(self, state: State) -> None:
        if state.is_terminal and not self.is_ending:
            self._leave(state.status)
        else:
            super()._set_state(state)

    def _fence(self) -> None:
        """The server takes nothing more for this run: find out why."""
        try:
            status = call(
                self._make_wire(LOOK_SECONDS), "GET", self._path, patience_seconds=LOOK_SECONDS
            ).json()
        except PilothouseError:
            status = {}
        if self.is_ending:
            super()._fence()
        else:
            self._leave(status.get("status", "lost"))

    def _cut_off(self) -> None:
        self._leave("full")

    def _leave(self, status: str) -> None:
        """The run is over for the server. Only a cancel is meant for the script."""
        if not self.is_recorded:
            return
        self._stop_recording()
        if status == "cancelled":
            super()._set_state(State("running", "cancel"))
            return
        why = "there is no more room for its results" if status == "full" else f"its run has ended ({status})"
        self._say(f"The script goes on unrecorded: {why}.")
        super()._set_state(State())

    def _stop_recording(self) -> None:
        self.is_recorded = False
        self.put = lambda *_: None
        self.mark = lambda key: None
        self._outbox.close()
        for ticket in tuple(self._tickets):
            ticket.settle(True)
