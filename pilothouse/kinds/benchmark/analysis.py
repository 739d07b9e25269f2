"""How good the votes are: precision, recall and F1, brought up to date with each test."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

_DIGITS = 12  # of the sums, which gather errors of rounding as votes come in


@dataclass(frozen=True, slots=True)
class Quality:
    """Averages over the votes, each vote counting alike; None without a test."""

    precision: float | None
    recall: float | None
    f1: float | None


class Judged:
    """Counts true and predicted votes. One more takes the same time, however many votes and tests there are."""

    def __init__(self) -> None:
        self._hits: Counter[str] = Counter()
        self._true: Counter[str] = Counter()
        self._predicted: Counter[str] = Counter()
        self._each: dict[str, tuple[float, float, float]] = {}
        self._sums = [0.0, 0.0, 0.0]

    def add(self, truth: str, predicted: str | None, count: int = 1) -> None:
        """Count tests.

        Args:
            truth: The true vote. Votes that count as equal must carry one name already.
            predicted: None is an answer without a vote.
            count: How many tests ended so.
        """
        self._true[truth] += count
        if predicted is not None:
            self._predicted[predicted] += count
            self._hits[truth] += count * (truth == predicted)
        for vote in {truth, truth if predicted is None else predicted}:
            before, now = self._each.get(vote, (0.0, 0.0, 0.0)), self._of_vote(vote)
            self._each[vote] = now
            self._sums = [total + new - old for total, new, old in zip(self._sums, now, before, strict=True)]

    @property
    def quality(self) -> Quality:
        """Macro precision, recall and F1."""
        if not self._each:
            return Quality(None, None, None)
        return Quality(*(round(total, _DIGITS) / len(self._each) for total in self._sums))

    def _of_vote(self, vote: str) -> tuple[float, float, float]:
        hits, predicted, true = self._hits[vote], self._predicted[vote], self._true[vote]
        precision = hits / predicted if predicted else 0.0
        recall = hits / true if true else 0.0
        f1 = 2 * hits / (predicted + true) if predicted + true else 0.0
        return precision, recall, f1
