"""A table as a matrix that a network can learn, and back.

Mode-specific normalisation, section 4.2 of Xu et al., "Modeling Tabular Data using
Conditional GAN" (NeurIPS 2019): a numeric column becomes the mode of a variational
Gaussian mixture that a value belongs to, one-hot, and the value within that mode,
`(value - mean) / (4 deviations)`. A category becomes one-hot. A missing number is a
mode of its own, which the paper does not have.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pilothouse.kinds.synthesis.column import Column, Floats, Ints
from pilothouse.kinds.synthesis.table import Table

MAX_MODES = 10
MIN_WEIGHT = 0.005
WEIGHT_PRIOR = 0.001
DEVIATIONS = 4.0
FIT_ROWS = 20_000
Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Span:
    """Neighbouring columns of the matrix that belong together.

    Attributes:
        kind: `scalar` lies between -1 and 1; the others are one-hot.
        start, end: From and up to, the end excluded.
    """

    kind: str
    start: int
    end: int

    @property
    def width(self) -> int:
        """How many columns of the matrix."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Modes:
    """The Gaussians of a numeric column: means and standard deviations, shape `(modes,)`."""

    means: Floats
    deviations: Floats
    weights: Floats
    has_missing: bool

    @property
    def width(self) -> int:
        """Modes, the missing one included."""
        return len(self.means) + self.has_missing

    @classmethod
    def fit(cls, column: Column, seed: int) -> Modes:
        """Find the modes of a column. A column without spread has one."""
        values = column.values
        has_missing = len(values) < column.rows
        distinct = len(np.unique(values))
        if distinct < 2:
            mean = values[:1] if len(values) else np.zeros(1)
            return cls(mean, np.ones(1), np.ones(1), has_missing)
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.mixture import BayesianGaussianMixture

        if len(values) > FIT_ROWS:
            values = np.random.default_rng(seed).choice(values, FIT_ROWS, replace=False)
        centre, scale = values.mean(), values.std()
        mixture = BayesianGaussianMixture(
            n_components=min(MAX_MODES, distinct, len(values)),
            weight_concentration_prior_type="dirichlet_process",
            weight_concentration_prior=WEIGHT_PRIOR,
            random_state=seed,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            mixture.fit(((values - centre) / scale).reshape(-1, 1))
        kept = mixture.weights_ > MIN_WEIGHT
        means = mixture.means_[kept, 0] * scale + centre
        deviations = np.sqrt(mixture.covariances_[kept, 0, 0]) * scale
        return cls(means, deviations, mixture.weights_[kept], has_missing)

    def likelihood(self, values: Floats) -> Floats:
        """The probability of each mode for each value, shape `(rows, modes)`; rows sum to 1."""
        distance = (values[:, None] - self.means) / self.deviations
        log = np.log(self.weights) - np.log(self.deviations) - distance**2 / 2
        likely: Floats = np.exp(log - log.max(axis=1, keepdims=True))
        likely /= likely.sum(axis=1, keepdims=True)
        return likely


class Encoder:
    """Turns tables of one make into matrices and back.

    Args:
        table: Its learned columns are fitted.
        seed: Of the mixtures.
        between: Called after each mixture, which takes seconds for a long column; may raise to leave.

    Attributes:
        columns: The learned columns.
        spans: The matrix, from left to right.
    """

    def __init__(self, table: Table, seed: int, between: Callable[[], None] = lambda: None) -> None:
        self.columns = table.learned
        self._modes: dict[str, Modes] = {}
        self.spans: list[Span] = []
        for column in self.columns:
            if column.is_numeric:
                self._modes[column.name] = Modes.fit(column, seed)
                between()
                self._add("scalar", 1)
                self._add("modes", self._modes[column.name].width)
            else:
                self._add("category", len(column.levels))

    @property
    def width(self) -> int:
        """Columns of the matrix."""
        return self.spans[-1].end

    @property
    def categories(self) -> list[Span]:
        """The spans of categories, in order."""
        return [span for span in self.spans if span.kind == "category"]

    def modes_of(self, column: Column) -> Modes:
        """The modes of a numeric column."""
        return self._modes[column.name]

    def encode(self, table: Table, seed: int) -> Matrix:
        """The matrix of a table, shape `(rows, width)`; the mode of a value is drawn by its likelihood."""
        rng, spans = np.random.default_rng(seed), iter(self.spans)
        matrix: Matrix = np.zeros((table.rows, self.width), np.float32)
        each = np.arange(table.rows)
        for column in table.learned:
            span = next(spans)
            if column.numbers is not None:
                scalar, chosen = self._encode_numbers(column.numbers, self._modes[column.name], rng)
                matrix[:, span.start] = scalar
                matrix[each, next(spans).start + chosen] = 1
            elif column.codes is not None:
                matrix[each, span.start + column.codes] = 1
        return matrix

    def decode(self, matrix: Matrix, table: Table) -> Table:
        """A table from a matrix; what is not learned is made anew.

        Args:
            matrix: Shape `(rows, width)`, all finite.
            table: The one that was fitted; it gives the order, types and ranges.
        """
        rows, spans = len(matrix), iter(self.spans)
        filled: dict[str, Column] = {}
        for column in self.columns:
            span = next(spans)
            if column.is_numeric:
                modes = next(spans)
                numbers = self._decode_numbers(
                    column, matrix[:, span.start], matrix[:, modes.start : modes.end]
                )
                filled[column.name] = column.filled(rows, numbers=numbers)
            else:
                codes = matrix[:, span.start : span.end].argmax(axis=1).astype(np.int64)
                filled[column.name] = column.filled(rows, codes=codes)
        return Table(tuple(filled.get(column.name) or column.filled(rows) for column in table.columns))

    def _add(self, kind: str, width: int) -> None:
        start = self.spans[-1].end if self.spans else 0
        self.spans.append(Span(kind, start, start + width))

    @staticmethod
    def _encode_numbers(numbers: Floats, modes: Modes, rng: np.random.Generator) -> tuple[Floats, Ints]:
        """Each value within its mode, and the mode."""
        rows = len(numbers)
        there = ~np.isnan(numbers)
        chosen = np.full(rows, len(modes.means))
        likely = modes.likelihood(np.where(there, numbers, modes.means[0])).cumsum(axis=1)
        drawn = (rng.random((rows, 1)) > likely).sum(axis=1).clip(max=len(modes.means) - 1)
        chosen[there] = drawn[there]
        scalar = np.zeros(rows)
        means, deviations = modes.means[drawn], modes.deviations[drawn]
        scalar[there] = ((numbers - means) / (DEVIATIONS * deviations))[there].clip(-0.99, 0.99)
        return scalar, chosen

    def _decode_numbers(self, column: Column, scalar: Matrix, chosen: Matrix) -> Floats:
        modes = self._modes[column.name]
        place = chosen.argmax(axis=1)
        is_missing = place >= len(modes.means)
        place = place.clip(max=len(modes.means) - 1)
        within = np.clip(scalar.astype(np.float64), -1, 1)
        numbers = modes.means[place] + within * DEVIATIONS * modes.deviations[place]
        if len(column.values):
            numbers = numbers.clip(column.values.min(), column.values.max())
        numbers[is_missing] = np.nan
        filled: Floats = numbers
        return filled
