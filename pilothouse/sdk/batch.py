"""Events with consecutive numbers, as one request carries them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pilothouse.errors import Conflict, Invalid, PilothouseError, TooLarge, Unavailable
from pilothouse.sdk.outbox import said
from pilothouse.sdk.wire import UNREACHABLE, Wire

FINAL = (Invalid, TooLarge, Conflict)  # the server will never take the batch as it is


@dataclass(frozen=True, slots=True)
class Batch:
    """Encoded events with consecutive numbers. Without events it is a heartbeat.

    Attributes:
        first: `client_seq` of the first event.
        events: JSON of each.
    """

    first: int
    events: list[bytes]

    def body(self, attempt: int, writer: str) -> bytes:
        """The request's body."""
        head = b'{"attempt":%d,"writer":"%b","client_seq":%d,"events":['
        return head % (attempt, writer.encode(), self.first) + b",".join(self.events) + b"]}"

    @property
    def numbers(self) -> range:
        """`client_seq` of each event."""
        return range(self.first, self.first + len(self.events))

    def instead(self, error: PilothouseError) -> list[Batch]:
        """What to send once the server will never take it: its halves, or a line in the log for one event."""
        if not self.events:
            return []
        if middle := len(self.events) // 2:
            return [Batch(self.first, self.events[:middle]), Batch(self.first + middle, self.events[middle:])]
        bad = self.events[0].decode("utf-8", "replace")
        text = f"The server refused an event, and it is left out: {error.message} {bad}"
        return [Batch(self.first, [said("error", text)])]


def post(wire: Wire, run_path: str, batch: Batch, attempt: int, writer: str) -> dict[str, Any]:
    """Send a batch once; returns what the server says of it and of the run.

    Raises:
        PilothouseError: The server refuses it; `Unavailable` when none answers, or when
            what answers is no Pilothouse server: only a server's own word takes events off a spool.
    """
    try:
        answer = wire.request("POST", f"{run_path}/events", batch.body(attempt, writer))
    except UNREACHABLE as error:
        raise Unavailable(f"The server does not answer: {error}") from error
    if not answer.is_ok:
        raise answer.error()
    word = answer.json()
    if "acked" not in word:
        raise Unavailable("What answers there is no Pilothouse server.")
    return word
