"""256 consecutive frames of one log, shared by every watcher that passes through.

A frame is encoded once, when it is appended; what a watcher sends is a join
of them, made once for all watchers that stand at the same place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pilothouse.contracts import Frame

SEGMENT = 256
KEPT_JOINS = 4
PIECE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Gap:
    """Events that are gone, both ends included."""

    first: int
    last: int


class Segment:
    """Consecutive frames of one log that belong together.

    Attributes:
        first: The place where the segment begins, whether its events are kept or not.
        begin: The `seq` of the first frame: above `first` where older events are gone.
        size: Bytes of all frames.
        joined: The newest joins by the place they begin after; few, since each is a copy.
    """

    __slots__ = ("begin", "epoch", "first", "frames", "joined", "size")

    def __init__(
        self, first: int, epoch: str, frames: Sequence[bytes] = (), begin: int | None = None
    ) -> None:
        self.first = first
        self.begin = first if begin is None else begin
        self.epoch = epoch
        self.frames = list(frames)
        self.size = sum(map(len, self.frames))
        self.joined: dict[int, tuple[int, bytes]] = {}

    @property
    def last(self) -> int:
        """The `seq` of the last frame; `begin - 1` while empty."""
        return self.begin + len(self.frames) - 1

    def holds(self, after: int) -> bool:
        """Whether the event after a place is here."""
        return self.begin <= after + 1 <= self.last

    def add(self, frame: bytes) -> None:
        """Append the next frame."""
        self.frames.append(frame)
        self.size += len(frame)
        self.joined.clear()

    def after(self, seq: int) -> list[bytes]:
        """Frames with a `seq` above the given one, as they are stored."""
        return self.frames[max(0, seq + 1 - self.begin) :]

    def sse_after(self, seq: int) -> tuple[int, bytes]:
        """The same frames as server-sent events with their ids, in one piece of limited size.

        Returns:
            The `seq` of the last frame in the piece, and the piece. What one client
            can make the server hold is a piece, however large the events are.
        """
        joined = self.joined.get(seq)
        if joined is None:
            joined = self._join(seq)
            while len(self.joined) >= KEPT_JOINS:
                del self.joined[next(iter(self.joined))]
            self.joined[seq] = joined
        return joined

    def _join(self, seq: int) -> tuple[int, bytes]:
        last, size = max(seq, self.begin - 1), 0
        epoch = self.epoch.encode()
        parts: list[bytes] = []
        for frame in self.after(seq):
            last += 1
            size += len(frame)
            parts.append(b"id: %b-%d\ndata: %b\n\n" % (epoch, last, frame))
            if size >= PIECE_BYTES:
                break
        return last, b"".join(parts)


def segment_of(seq: int) -> int:
    """The `first` of the segment that holds the event after `seq`."""
    return seq // SEGMENT * SEGMENT + 1


def unbroken(frames: Sequence[Frame]) -> list[bytes]:
    """The frames up to the first that does not follow the one before it."""
    inside: list[bytes] = []
    for frame in frames:
        if frame.seq != frames[0].seq + len(inside):
            break
        inside.append(frame.data)
    return inside
