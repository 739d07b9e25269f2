"""Events with consecutive numbers, as one request carries them."""

from __future__ import annotations

from dataclasses import dataclass


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

    def halves(self) -> tuple[Batch, Batch]:
        """The batch as two, earlier numbers first."""
        middle = len(self.events) // 2
        return Batch(self.first, self.events[:middle]), Batch(self.first + middle, self.events[middle:])
