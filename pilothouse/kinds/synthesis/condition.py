"""The conditional vector and training-by-sampling, sections 4.3 and 4.4 of the CTGAN paper.

Each row that the generator makes in training is asked for one value of one
category. The column is drawn evenly, the value by the logarithm of its
frequency, so that rare values are met as well; the critic sees real rows that
have the value. To make a table, values are drawn as often as they really are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pilothouse.kinds.synthesis.column import Ints
from pilothouse.kinds.synthesis.encoding import Matrix, Span


@dataclass(frozen=True, slots=True)
class Asked:
    """What a batch is asked for.

    Attributes:
        vector: One-hot over all values of all categories, shape `(batch, width)`.
        columns: The category of each row, shape `(batch,)`.
        values: Its value, shape `(batch,)`.
    """

    vector: Matrix
    columns: Ints
    values: Ints


class Conditions:
    """Draws conditions, and real rows that meet them.

    Args:
        matrix: The encoded table.
        categories: Its spans of categories.
    """

    def __init__(self, matrix: Matrix, categories: list[Span]) -> None:
        self.spans = categories
        self._rows = len(matrix)
        self._starts = np.cumsum([0, *(span.width for span in categories)])
        self.width = int(self._starts[-1])
        self._values = [matrix[:, span.start : span.end].argmax(axis=1) for span in categories]
        counts = [
            np.bincount(found, minlength=span.width)
            for found, span in zip(self._values, categories, strict=True)
        ]
        self._by_log = [_shares(np.log1p(count)) for count in counts]
        self._having = [
            [np.flatnonzero(found == value) for value in range(span.width)]
            for found, span in zip(self._values, categories, strict=True)
        ]

    def draw(self, count: int, rng: np.random.Generator) -> Asked:
        """Conditions for training."""
        columns = rng.integers(len(self.spans), size=count)
        values = np.zeros(count, dtype=np.int64)
        for column, shares in enumerate(self._by_log):
            here = columns == column
            values[here] = rng.choice(len(shares), size=int(here.sum()), p=shares)
        return self._asked(columns, values)

    def draw_as_real(self, count: int, rng: np.random.Generator) -> Asked:
        """Conditions for making a table: the value of an even category in an even row."""
        columns = rng.integers(len(self.spans), size=count)
        rows = rng.integers(self._rows, size=count)
        values = np.zeros(count, dtype=np.int64)
        for column, found in enumerate(self._values):
            here = columns == column
            values[here] = found[rows[here]]
        return self._asked(columns, values)

    def rows_with(self, asked: Asked, rng: np.random.Generator) -> Ints:
        """A real row for each condition, by its place."""
        chosen = np.empty(len(asked.columns), dtype=np.int64)
        even = rng.random(len(chosen))
        for number, (column, value) in enumerate(zip(asked.columns, asked.values, strict=True)):
            having = self._having[column][value]
            chosen[number] = having[int(even[number] * len(having))]
        return chosen

    def _asked(self, columns: Ints, values: Ints) -> Asked:
        vector = np.zeros((len(columns), self.width), dtype=np.float32)
        vector[np.arange(len(columns)), self._starts[columns] + values] = 1
        return Asked(vector, columns, values)


def _shares(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    shares: NDArray[np.float64] = weights / weights.sum()
    return shares
