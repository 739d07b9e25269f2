"""How useful a synthetic table is: distributions column by column, and what holds columns together.

Numbers: the two-sample Kolmogorov-Smirnov statistic. Categories: total variation
distance. Pairs of columns: Pearson's r, Cramér's V, or the correlation ratio η.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from pilothouse.kinds.synthesis.column import Column, Floats, Ints
from pilothouse.kinds.synthesis.table import Table

BINS = 20
MAX_BARS = 12
MAX_COMPARED = 40
MAX_PAIRED = 100
MAX_DRAWN = 20


def distance(real: Column, synthetic: Column) -> float:
    """How far two columns are apart, 0 (alike) to 1; the share of missing values counts too."""
    if real.codes is not None and synthetic.codes is not None:
        return float(np.abs(_shares(real) - _shares(synthetic)).sum() / 2)
    missing = abs(real.missing - synthetic.missing)
    if not len(real.values) or not len(synthetic.values):
        return max(missing, float(bool(len(real.values)) != bool(len(synthetic.values))))
    return max(missing, _kolmogorov_smirnov(real.values, synthetic.values))


def _kolmogorov_smirnov(one: Floats, other: Floats) -> float:
    """The largest distance of the two empirical distribution functions."""
    places = np.concatenate([one, other])
    below = [np.searchsorted(np.sort(values), places, side="right") / len(values) for values in (one, other)]
    return float(np.abs(below[0] - below[1]).max())


def ks_mean(real: Table, synthetic: Table) -> float:
    """The mean distance of the learned columns."""
    pairs = zip(real.learned, synthetic.learned, strict=True)
    return float(np.mean([distance(*pair) for pair in pairs]))


@dataclass(frozen=True, slots=True)
class Ties:
    """How strongly columns hang together, pair by pair; both matrices have the shape `(columns, columns)`.

    Of more than 100 learned columns it knows the first 100.
    """

    names: tuple[str, ...]
    real: Floats
    synthetic: Floats

    @classmethod
    def of(cls, real: Table, synthetic: Table) -> Ties:
        """The ties of two tables with the same columns."""
        names = tuple(column.name for column in real.learned[:MAX_PAIRED])
        return cls(names, _matrix(real), _matrix(synthetic))

    @property
    def delta(self) -> float | None:
        """The mean difference over all pairs; None with one column."""
        pairs = np.triu_indices(len(self.names), 1)
        return float(np.abs(self.real - self.synthetic)[pairs].mean()) if len(pairs[0]) else None

    def drawn(self) -> dict[str, Any]:
        """For the panel `Correlations`: of more than 20 columns those whose ties changed most."""
        change = np.abs(self.real - self.synthetic).max(axis=1)
        places = np.sort(np.argsort(-change, kind="stable")[:MAX_DRAWN])
        square = np.ix_(places, places)
        return {
            "columns": [self.names[place] for place in places],
            "real": self.real[square].round(3).tolist(),
            "synthetic": self.synthetic[square].round(3).tolist(),
        }


def _matrix(table: Table) -> Floats:
    columns = table.learned[:MAX_PAIRED]
    matrix: Floats = np.eye(len(columns))
    for one, other in itertools.combinations(range(len(columns)), 2):
        matrix[one, other] = matrix[other, one] = association(columns[one], columns[other])
    return matrix


def association(one: Column, other: Column) -> float:
    """How strongly two columns hang together: -1 to 1 for numbers, else 0 to 1; 0 where one does not vary."""
    if one.numbers is not None and other.numbers is not None:
        there = ~np.isnan(one.numbers) & ~np.isnan(other.numbers)
        return _pearson(one.numbers[there], other.numbers[there])
    if one.codes is not None and other.codes is not None:
        return _cramer(one.codes, other.codes, len(one.levels), len(other.levels))
    codes, numbers = (one.codes, other.numbers) if one.codes is not None else (other.codes, one.numbers)
    assert codes is not None and numbers is not None
    there = ~np.isnan(numbers)
    return _ratio(codes[there], numbers[there])


def _pearson(one: Floats, other: Floats) -> float:
    if len(one) < 2 or one.std() == 0 or other.std() == 0:
        return 0.0
    r = float(np.corrcoef(one, other)[0, 1])
    return r if math.isfinite(r) else 0.0


def _cramer(one: Ints, other: Ints, width: int, height: int) -> float:
    """Cramér's V without its correction for small tables."""
    counts = np.bincount(one * height + other, minlength=width * height).reshape(width, height)
    counts = counts[counts.any(axis=1)][:, counts.any(axis=0)]
    least = min(counts.shape) - 1
    if least < 1:
        return 0.0
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    chi_square = ((counts - expected) ** 2 / expected).sum()
    return float(min(1.0, math.sqrt(chi_square / counts.sum() / least)))


def _ratio(codes: Ints, numbers: Floats) -> float:
    """The correlation ratio η: the share of spread that lies between categories, rooted."""
    spread = float(((numbers - numbers.mean()) ** 2).sum()) if len(numbers) else 0.0
    if spread == 0:
        return 0.0
    counts = np.bincount(codes)
    means = np.bincount(codes, weights=numbers) / counts.clip(1)
    between = float((counts * (means - numbers.mean()) ** 2).sum())
    return math.sqrt(min(1.0, between / spread))


def compared(real: Table, synthetic: Table) -> list[dict[str, Any]]:
    """Both distributions of each column, the worst first, for the panel `Comparison`; at most 40 columns."""
    rows = [_compared(*pair) for pair in zip(real.learned, synthetic.learned, strict=True)]
    return sorted(rows, key=lambda row: -float(row["ks"]))[:MAX_COMPARED]


def _compared(real: Column, synthetic: Column) -> dict[str, Any]:
    told: dict[str, Any] = {"column": real.name, "ks": round(distance(real, synthetic), 4)}
    if real.is_category:
        told |= _bars(real, synthetic)
    else:
        told |= _histogram(real, synthetic)
    return told | {
        "real_missing": round(real.missing, 4),
        "synthetic_missing": round(synthetic.missing, 4),
    }


def _bars(real: Column, synthetic: Column) -> dict[str, Any]:
    """The most frequent categories; the others are summed."""
    labels = [level if level is not None else "(missing)" for level in real.levels[:MAX_BARS]]
    ours, theirs = _shares(real), _shares(synthetic)
    shares = [ours[:MAX_BARS].tolist(), theirs[:MAX_BARS].tolist()]
    if len(real.levels) > MAX_BARS:
        labels.append("others")
        shares = [[*kept, 1 - sum(kept)] for kept in shares]
    return {
        "labels": [label[:40] for label in labels],
        "real": [round(share, 4) for share in shares[0]],
        "synthetic": [round(share, 4) for share in shares[1]],
    }


def _histogram(real: Column, synthetic: Column) -> dict[str, Any]:
    both = np.concatenate([real.values, synthetic.values])
    if not len(both):
        return {"labels": [], "real": [], "synthetic": []}
    edges = np.histogram_bin_edges(both, BINS)
    mids = real.filled(BINS, (edges[:-1] + edges[1:]) / 2)
    told: dict[str, Any] = {
        "labels": mids.cells() if real.type == "date" else [f"{x:.4g}" for x in _mids(edges)]
    }
    for name, column in (("real", real), ("synthetic", synthetic)):
        counts, _ = np.histogram(column.values, edges)
        told[name] = [round(share, 4) for share in (counts / max(1, counts.sum())).tolist()]
        if len(column.values) and real.type != "date":
            told[f"{name}_mean"] = float(f"{column.values.mean():.6g}")
    return told


def _mids(edges: Floats) -> list[float]:
    mids: list[float] = ((edges[:-1] + edges[1:]) / 2).tolist()
    return mids


def _shares(column: Column) -> Floats:
    assert column.codes is not None
    shares: Floats = np.bincount(column.codes, minlength=len(column.levels)) / max(1, column.rows)
    return shares
