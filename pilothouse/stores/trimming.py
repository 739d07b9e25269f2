"""What a trimmed log loses, and what it keeps.

The whole beginning goes from sight: whoever reads on from there is told one gap.
Behind it stays what the pages of a run are made of and what is read by its type:
who did what, phases, artifacts, the latest saved state, and a sample of the metrics.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

TRIMMED_AT_ONCE = 5_000
KEPT_METRICS = 2_000
STATE = "state.saved"
METRIC = "metric"
TRIMMED = frozenset({"item.started", "item.finished", "progress", "log", "note", STATE})


def surplus(metrics: Sequence[int]) -> list[int]:
    """Which of the metrics of a trimmed part go, by `seq`, so that about 2,000 stay.

    Chosen by lot, the first and the last spared: a rule such as every second one would
    take all of a metric that comes every second time. The same `seqs` give the same lot.
    """
    if len(metrics) <= 2 * KEPT_METRICS:
        return []
    inner = metrics[1:-1]
    return random.Random(len(metrics)).sample(inner, len(metrics) - KEPT_METRICS)  # noqa: S311
