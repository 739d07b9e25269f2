"""Numbers in ascending order, to which one is added at a time.

They lie in parts of at most `PART` numbers, so that adding one moves no more than a part, and a quantile
looks at the lengths of the parts alone.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort

PART = 2_000


class Ordered:
    """Numbers in ascending order."""

    def __init__(self) -> None:
        self._parts: list[list[float]] = [[]]
        self._firsts: list[float] = []
        self._count = 0

    def add(self, value: float) -> None:
        """Put one more number in its place."""
        self._count += 1
        place = bisect_left(self._firsts, value)
        part = self._parts[place]
        insort(part, value)
        if len(part) > PART:
            self._parts[place : place + 1] = [part[: PART // 2], part[PART // 2 :]]
            self._firsts.insert(place, part[PART // 2])

    def quantile(self, share: float) -> float | None:
        """The smallest number that at least this share of the numbers does not exceed; None without numbers.

        Args:
            share: 0 to 1, such as 0.95.
        """
        left = max(0, math.ceil(share * self._count) - 1)
        for part in self._parts:
            if left < len(part):
                return part[left]
            left -= len(part)
        return None
