"""What a batch of made rows should have in common with real ones beside the critic's opinion.

The information loss of Park et al., "Data Synthesis based on Generative Adversarial
Networks" (VLDB 2018), here over the table's own units and with the correlations: a few
hundred steps of a critic that sees packs of rows teach a generator hardly any of them.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from pilothouse.kinds.synthesis.encoding import DEVIATIONS, Encoder
from pilothouse.kinds.synthesis.table import Table

SMALLEST_VARIANCE = 1e-4


class Moments:
    """Means, deviations and correlations of batches, comparable and differentiable.

    Args:
        encoder: Tells which part of a row is which column.
        table: What is learned; its numbers are told by their deviations from the mean.
    """

    def __init__(self, encoder: Encoder, table: Table) -> None:
        self._columns: list[tuple[slice, slice, Tensor, Tensor] | slice] = []
        spans = iter(encoder.spans)
        for column in table.learned:
            span = next(spans)
            if not column.is_numeric:
                self._columns.append(slice(span.start, span.end))
                continue
            modes, chosen = encoder.modes_of(column), next(spans)
            mean = column.values.mean() if len(column.values) else 0.0
            scale = (column.values.std() if len(column.values) else 0.0) or 1.0
            missing = np.zeros(modes.width - len(modes.means))
            centres = np.concatenate([(modes.means - mean) / scale, missing])
            reaches = np.concatenate([DEVIATIONS * modes.deviations / scale, missing])
            self._columns.append(
                (
                    slice(span.start, span.end),
                    slice(chosen.start, chosen.end),
                    torch.from_numpy(centres.astype(np.float32)),
                    torch.from_numpy(reaches.astype(np.float32)),
                )
            )

    def gap(self, made: Tensor, real: Tensor) -> Tensor:
        """How far two batches of encoded rows are apart; 0 where all moments are the same.

        Args:
            made, real: Shape `(rows, width)`, for the same conditions.
        """
        means, deviations, ties = self._of(made)
        real_means, real_deviations, real_ties = self._of(real)
        gap: Tensor = (
            (means - real_means).square().mean()
            + (deviations - real_deviations).square().mean()
            + (ties - real_ties).square().sum(dim=1).mean()
        )
        return gap

    def _of(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Means and deviations, shape `(values,)`, and correlations, shape `(values, values)`."""
        values = self._values(rows)
        means = values.mean(dim=0)
        centred = values - means
        deviations = (centred.square().mean(dim=0) + SMALLEST_VARIANCE).sqrt()
        scores = centred / deviations
        return means, deviations, scores.T @ scores / len(values)

    def _values(self, rows: Tensor) -> Tensor:
        """A number becomes one value, in deviations from its mean; a category one for each level."""
        parts = []
        for column in self._columns:
            if isinstance(column, slice):
                parts.append(rows[:, column])
                continue
            scalar, modes, centres, reaches = column
            chosen = rows[:, modes]
            parts.append((chosen @ centres)[:, None] + (chosen @ reaches)[:, None] * rows[:, scalar])
        return torch.cat(parts, dim=1)
