"""256 consecutive frames of one log, shared by every watcher that passes through.

A frame is encoded once, when it is appended; what a watcher sends is a join
of them, made once for all watchers that stand at the same place.
"""

from __future__ import annotations

from collections.abc import Sequence

SEGMENT = 256
KEPT_JOINS = 4


class Segment:
    """Frames `first` … `first + len(frames) - 1` of one log.

    Attributes:
        joined: The newest joins by the place they begin after; few, since each is a copy.
    """

    __slots__ = ("epoch", "first", "frames", "joined")

    def __init__(self, first: int, epoch: str, frames: Sequence[bytes] = ()) -> None:
        self.first = first
        self.epoch = epoch
        self.frames = list(frames)
        self.joined: dict[int, bytes] = {}

    @property
    def last(self) -> int:
        """The `seq` of the last frame; `first - 1` while empty."""
        return self.first + len(self.frames) - 1

    def add(self, frame: bytes) -> None:
        """Append the next frame."""
        self.frames.append(frame)
        self.joined.clear()

    def after(self, seq: int) -> list[bytes]:
        """Frames with a `seq` above the given one, as they are stored."""
        return self.frames[max(0, seq + 1 - self.first) :]

    def sse_after(self, seq: int) -> bytes:
        """The same frames as server-sent events with their ids, in one piece."""
        joined = self.joined.get(seq)
        if joined is None:
            begin = max(seq + 1, self.first)
            epoch = self.epoch.encode()
            joined = b"".join(
                b"id: %b-%d\ndata: %b\n\n" % (epoch, number, frame)
                for number, frame in enumerate(self.after(seq), start=begin)
            )
            while len(self.joined) >= KEPT_JOINS:
                del self.joined[next(iter(self.joined))]
            self.joined[seq] = joined
        return joined


def segment_of(seq: int) -> int:
    """The `first` of the segment that holds the event after `seq`."""
    return seq // SEGMENT * SEGMENT + 1
