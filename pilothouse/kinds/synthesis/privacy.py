"""What a synthetic table gives away: a membership attack, and rows that are copies.

The attack asks of each real row how near the nearest synthetic row lies, and
says "this one was learned from" of near ones (distance to the closest record).
Its area under the ROC curve is 0.5 when learned and held-out rows lie alike
near, and 1 when every learned row lies nearer than every other one.
"""

from __future__ import annotations

import math

import numpy as np

from pilothouse.kinds.synthesis.column import Floats
from pilothouse.kinds.synthesis.table import Table

MAX_ATTACKED = 2_000
MAX_NEAR = 20_000


def mia_auc(learned: Table, held_out: Table, synthetic: Table, seed: int) -> float:
    """The attack's area under the ROC curve, 0 to 1; 0.5 is guessing.

    Args:
        learned: What was learned from: the members.
        held_out: Rows of the same table that were not.
        synthetic: What was made; of more than 20,000 rows a sample is searched.
        seed: Of the samples: at most 2,000 rows of each kind are attacked.
    """
    from sklearn.metrics import roc_auc_score
    from sklearn.neighbors import NearestNeighbors

    dice = np.random.default_rng(seed)
    place = Space(learned)
    members, others, made = (
        place.points(_some(table, most, dice))
        for table, most in ((learned, MAX_ATTACKED), (held_out, MAX_ATTACKED), (synthetic, MAX_NEAR))
    )
    nearest = NearestNeighbors(n_neighbors=1).fit(made)
    near = [-nearest.kneighbors(points)[0][:, 0] for points in (members, others)]
    truth = np.repeat([1, 0], [len(members), len(others)])
    return float(roc_auc_score(truth, np.concatenate(near)))


def dup_rate(learned: Table, synthetic: Table) -> float:
    """The share of synthetic rows that are rows of the table as they are; ids are left out."""
    known = set(learned.records(learned.learned))
    made = synthetic.records(synthetic.learned)
    return sum(record in known for record in made) / max(1, len(made))


class Space:
    """Where rows lie: a number by its deviations from the mean, a category one-hot."""

    def __init__(self, table: Table) -> None:
        self._scales = {
            column.name: (column.values.mean(), column.values.std() or 1.0)
            for column in table.learned
            if len(column.values)
        }

    def points(self, table: Table) -> Floats:
        """Shape `(rows, coordinates)`. Two different categories are as far apart as 1.4 deviations."""
        parts: list[Floats] = []
        for column in table.learned:
            if column.codes is not None:
                parts.append(np.eye(len(column.levels))[column.codes])
            elif column.numbers is not None:
                mean, scale = self._scales.get(column.name, (0.0, 1.0))
                is_missing = np.isnan(column.numbers)
                parts.append(np.where(is_missing, 0.0, (column.numbers - mean) / scale)[:, None])
                parts.append(is_missing[:, None] * math.sqrt(2.0))
        return np.concatenate(parts, axis=1)


def _some(table: Table, most: int, dice: np.random.Generator) -> Table:
    return table if table.rows <= most else table.take(dice.choice(table.rows, most, replace=False))
