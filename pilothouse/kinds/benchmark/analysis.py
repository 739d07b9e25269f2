"""Numbers about results: intervals, quantiles, precision, recall, F1."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Z_95 = 1.959963984540054


def wilson(correct: int, total: int, z: float = Z_95) -> tuple[float, float]:
    """The Wilson score interval of a share.

    Wilson, "Probable inference, the law of succession, and statistical inference",
    JASA 22 (1927). Unlike the normal interval it stays within 0 and 1.

    Returns:
        Lower and upper bound; 0 and 1 without a test.
    """
    if total == 0:
        return 0.0, 1.0
    share = correct / total
    scale = 1 + z * z / total
    centre = share + z * z / (2 * total)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def quantile(ordered: Sequence[float], share: float) -> float | None:
    """The smallest value that at least this share of the values does not exceed; None without values.

    Args:
        ordered: Ascending.
        share: 0 to 1, such as 0.95.
    """
    if not ordered:
        return None
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


@dataclass(frozen=True, slots=True)
class Quality:
    """Averages over the votes, each vote counting alike; None without a test."""

    precision: float | None
    recall: float | None
    f1: float | None


def quality(counts: Mapping[tuple[str, str | None], int]) -> Quality:
    """Macro precision, recall and F1.

    Args:
        counts: `(true vote, predicted vote)` → tests; None is an answer without a vote.
            Votes that count as equal must carry one name already.
    """
    truths = {truth for truth, _ in counts}
    votes = sorted(truths | {predicted for _, predicted in counts if predicted is not None})
    if not truths:
        return Quality(None, None, None)
    each = [_of_vote(vote, counts) for vote in votes]
    return Quality(*(sum(values) / len(votes) for values in zip(*each, strict=True)))


def _of_vote(vote: str, counts: Mapping[tuple[str, str | None], int]) -> tuple[float, float, float]:
    hits = counts.get((vote, vote), 0)
    predicted = sum(count for (_, other), count in counts.items() if other == vote)
    true = sum(count for (other, _), count in counts.items() if other == vote)
    precision = hits / predicted if predicted else 0.0
    recall = hits / true if true else 0.0
    f1 = 2 * hits / (predicted + true) if predicted + true else 0.0
    return precision, recall, f1
