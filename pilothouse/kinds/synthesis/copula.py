"""A Gaussian copula: every column by its own distribution, held together by one correlation matrix.

Nelsen, "An Introduction to Copulas" (2006). A number becomes its normal score, by
rank. A category takes a stretch of the normal distribution and becomes the mean
of that stretch; what this takes from a correlation is given back as in Olsson et
al., "The polyserial correlation coefficient" (Psychometrika 47, 1982): the covariance
over the variances. Learned in one epoch, without dice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import norm, rankdata

from pilothouse.kinds.synthesis.column import Column, Floats, Ints
from pilothouse.kinds.synthesis.table import Table

SMALLEST_EIGENVALUE = 1e-8
STRONGEST = 0.995


@dataclass(frozen=True, slots=True)
class Stretch:
    """The stretches of the levels of a category, from low to high.

    Attributes:
        order: Codes of the levels in the order of their stretches.
        ends: Where each stretch ends, as probabilities; in that order.
    """

    order: Ints
    ends: Floats

    @classmethod
    def of(cls, codes: Ints, width: int, rank: Floats) -> Stretch:
        """Stretches as wide as the levels are frequent, ordered by `rank`, shape `(width,)`."""
        order = np.argsort(rank, kind="stable").astype(np.int64)
        shares = np.bincount(codes, minlength=width)[order] / len(codes)
        return cls(order, shares.cumsum())

    def scores(self, codes: Ints) -> Floats:
        """The mean of the normal distribution within each row's stretch."""
        starts = np.concatenate([[0.0], self.ends[:-1]])
        widths = self.ends - starts
        density = norm.pdf(norm.ppf(starts.clip(0, 1))) - norm.pdf(norm.ppf(self.ends.clip(0, 1)))
        means = np.divide(density, widths, out=np.zeros_like(widths), where=widths > 0)
        by_code = np.empty_like(means)
        by_code[self.order] = means
        found: Floats = by_code[codes]
        return found

    def codes(self, levels: Floats) -> Ints:
        """The level of each probability."""
        places = np.searchsorted(self.ends, levels, side="right").clip(max=len(self.ends) - 1)
        found: Ints = self.order[places]
        return found


class GaussianCopula:
    """See `Learner`.

    Args:
        table: What to learn.
    """

    def __init__(self, table: Table) -> None:
        self.epochs = 1
        self._table = table
        self._factor: Floats | None = None
        self._numbers = {
            column.name: _normal_scores(column.numbers)
            for column in table.learned
            if column.numbers is not None
        }
        self._stretches = {
            column.name: Stretch.of(
                column.codes, len(column.levels), self._rank(column.codes, len(column.levels))
            )
            for column in table.learned
            if column.codes is not None
        }

    def epoch(self) -> Mapping[str, float]:
        """Learn the correlation; there is no loss."""
        found = [pair for column in self._table.learned for pair in self._scores(column)]
        scores, there = (np.column_stack(parts) for parts in zip(*found, strict=True))
        together = there.T @ there  # in how many rows both are there, pair by pair
        covariance = scores.T @ scores / together.clip(1)
        variance = np.diag(covariance).copy()
        variance[variance < SMALLEST_EIGENVALUE] = 1.0
        correlation = (covariance / np.outer(variance, variance)).clip(-STRONGEST, STRONGEST)
        np.fill_diagonal(correlation, 1.0)
        values, vectors = np.linalg.eigh(correlation)
        factor: Floats = vectors * np.sqrt(values.clip(SMALLEST_EIGENVALUE))
        self._factor = factor / np.linalg.norm(factor, axis=1, keepdims=True)
        return {}

    def state(self) -> dict[str, Any]:
        """See `Learner`."""
        return {"factor": None if self._factor is None else self._factor.tolist()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """See `Learner`."""
        self._factor = None if state["factor"] is None else np.array(state["factor"])

    def sample(self, rows: int, seed: int) -> Table:
        """See `Learner`."""
        assert self._factor is not None, "learn first"
        normal = np.random.default_rng(seed).standard_normal((rows, len(self._factor))) @ self._factor.T
        levels = iter(norm.cdf(normal).T)
        filled: dict[str, Column] = {}
        for column in self._table.learned:
            level = next(levels)
            if column.is_category:
                codes = self._stretches[column.name].codes(level)
                filled[column.name] = column.filled(rows, codes=codes)
                continue
            values = column.values
            numbers = np.quantile(values, level) if len(values) else np.full(rows, np.nan)
            if column.missing:
                numbers[next(levels) < column.missing] = np.nan
            filled[column.name] = column.filled(rows, numbers=numbers)
        columns = self._table.columns
        return Table(tuple(filled.get(column.name) or column.filled(rows) for column in columns))

    def _scores(self, column: Column) -> list[tuple[Floats, Floats]]:
        """A column's scores, and 1 where they are there; missing numbers have further scores for where they are."""
        everywhere = np.ones(column.rows)
        if column.codes is not None:
            return [(self._stretches[column.name].scores(column.codes), everywhere)]
        assert column.numbers is not None
        is_there = ~np.isnan(column.numbers)
        scores = [(self._numbers[column.name], is_there.astype(np.float64))]
        if column.missing:
            codes = is_there.astype(np.int64)
            scores.append((Stretch.of(codes, 2, np.arange(2.0)).scores(codes), everywhere))
        return scores

    def _rank(self, codes: Ints, width: int) -> Floats:
        """Levels by their mean in the numeric column that tells them apart best; by frequency without one."""
        best, rank = 0.0, np.arange(float(width))
        counts = np.bincount(codes, minlength=width)
        for scores in self._numbers.values():
            means = np.bincount(codes, weights=scores, minlength=width) / counts.clip(1)
            between = float((counts * means**2).sum())
            if between > best:
                best, rank = between, means
        return rank


def _normal_scores(numbers: Floats) -> Floats:
    """By rank, shape `(rows,)`; their mean is 0, and so are they where missing."""
    there = ~np.isnan(numbers)
    scores = np.zeros(len(numbers))
    scores[there] = norm.ppf((rankdata(numbers[there]) - 0.5) / max(1, there.sum()))
    return scores
