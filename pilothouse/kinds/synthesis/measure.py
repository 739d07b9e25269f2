"""The four numbers of a synthetic table."""

from __future__ import annotations

from pilothouse.kinds.synthesis.likeness import Ties, ks_mean
from pilothouse.kinds.synthesis.privacy import dup_rate, mia_auc
from pilothouse.kinds.synthesis.table import Table


def measure(
    learned: Table, held_out: Table, synthetic: Table, seed: int, ties: Ties | None = None
) -> dict[str, float | None]:
    """The four numbers of a synthetic table.

    Args:
        learned: What was learned from.
        held_out: Rows of the same table that were not.
        synthetic: What was made of it.
        seed: Of samples.
        ties: Of the two tables, where they are known already.
    """
    delta = (ties or Ties.of(learned, synthetic)).delta
    return {
        "ks_mean": round(ks_mean(learned, synthetic), 6),
        "corr_delta": None if delta is None else round(delta, 6),
        "mia_auc": round(mia_auc(learned, held_out, synthetic, seed), 6),
        "dup_rate": round(dup_rate(learned, synthetic), 6),
    }
