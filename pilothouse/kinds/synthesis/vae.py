"""A variational autoencoder for tables: TVAE, section 4.5 of the CTGAN paper.

The same encoding as the GAN's. A scalar is told with a Gaussian of a learned
deviation, a one-hot span with cross entropy. No condition, no critic.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from pilothouse.kinds.synthesis.encoding import Encoder, Matrix
from pilothouse.kinds.synthesis.errors import TrainingFailed
from pilothouse.kinds.synthesis.networks import seeded
from pilothouse.kinds.synthesis.table import Table

HIDDEN = 128
LATENT = 128
LEARNING_RATE = 1e-3
DECAY = 1e-5
TOLD_TWICE = 2.0
DEVIATION_FLOOR, DEVIATION_CEILING = 0.01, 1.0


class Autoencoder(nn.Module):
    """Encoder and decoder with two hidden layers each, and a deviation for each scalar."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(width, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU())
        self.mean = nn.Linear(HIDDEN, LATENT)
        self.log_variance = nn.Linear(HIDDEN, LATENT)
        self.outer = nn.Sequential(
            nn.Linear(LATENT, HIDDEN),
            nn.ReLU(),
            nn.Linear(HIDDEN, HIDDEN),
            nn.ReLU(),
            nn.Linear(HIDDEN, width),
        )
        self.deviation = nn.Parameter(torch.full((width,), 0.1))


class TabularVae:
    """See `Learner`.

    Args:
        table: What to learn.
        epochs: Passes over the table.
        batch_size: Rows in one step.
        seed: Of the first weights and of all dice.
        between: See `Encoder`.
    """

    def __init__(
        self,
        table: Table,
        epochs: int,
        batch_size: int,
        seed: int,
        between: Callable[[], None] = lambda: None,
    ) -> None:
        self.epochs = epochs
        self._table = table
        self._encoder = Encoder(table, seed, between)
        self._matrix = torch.from_numpy(self._encoder.encode(table, seed))
        self._batch = min(batch_size, table.rows)
        self._done = 0
        self._dice = torch.Generator().manual_seed(seed)
        self._model = seeded(seed, lambda: Autoencoder(self._encoder.width))
        self._optimiser = torch.optim.Adam(self._model.parameters(), LEARNING_RATE, weight_decay=DECAY)

    def epoch(self) -> Mapping[str, float]:
        """See `Learner`.

        Raises:
            TrainingFailed: The loss is no longer a number.
        """
        total, batches = 0.0, 0
        order = torch.randperm(len(self._matrix), generator=self._dice)
        for places in torch.split(order, self._batch):
            loss = self._loss(self._matrix[places])
            self._optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimiser.step()
            with torch.no_grad():
                self._model.deviation.clamp_(DEVIATION_FLOOR, DEVIATION_CEILING)
            total, batches = total + float(loss.detach()), batches + 1
        self._done += 1
        if not math.isfinite(total):
            raise TrainingFailed(
                f"The autoencoder's loss is not a number after epoch {self._done}.",
                hint="Give a larger batch size, or the method copula.",
            )
        return {"loss": total / batches}

    def state(self) -> dict[str, Any]:
        """See `Learner`."""
        return {
            "done": self._done,
            "dice": self._dice.get_state(),
            "model": self._model.state_dict(),
            "optimiser": self._optimiser.state_dict(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """See `Learner`."""
        self._done = state["done"]
        self._dice.set_state(state["dice"])
        self._model.load_state_dict(state["model"])
        self._optimiser.load_state_dict(state["optimiser"])

    def sample(self, rows: int, seed: int) -> Table:
        """See `Learner`."""
        dice, made = torch.Generator().manual_seed(seed), list[Matrix]()
        with torch.no_grad():
            for start in range(0, rows, self._batch):
                latent = torch.randn(min(self._batch, rows - start), LATENT, generator=dice)
                made.append(self._drawn(self._model.outer(latent), dice).numpy())
        return self._encoder.decode(np.concatenate(made), self._table)

    def _loss(self, rows: Tensor) -> Tensor:
        """The evidence lower bound, negative, with the reconstruction counted twice; mean over the batch."""
        model, hidden = self._model, self._model.inner(rows)
        mean, log_variance = model.mean(hidden), model.log_variance(hidden)
        noise = torch.randn(mean.shape, generator=self._dice)
        raw = model.outer(mean + torch.exp(log_variance / 2) * noise)
        told = rows.new_zeros(())
        for span in self._encoder.spans:
            part, true = raw[:, span.start : span.end], rows[:, span.start : span.end]
            if span.kind == "scalar":
                deviation = model.deviation[span.start : span.end]
                told = told + ((true - torch.tanh(part)) ** 2 / (2 * deviation**2) + deviation.log()).sum()
            else:
                told = told + functional.cross_entropy(part, true.argmax(dim=1), reduction="sum")
        divergence = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum()
        loss: Tensor = (TOLD_TWICE * told + divergence) / len(rows)
        return loss

    def _drawn(self, raw: Tensor, dice: torch.Generator) -> Tensor:
        """Scalars with their deviation, one-hot spans by their probabilities."""
        made = torch.zeros_like(raw)
        for span in self._encoder.spans:
            part = raw[:, span.start : span.end]
            if span.kind == "scalar":
                deviation = self._model.deviation[span.start : span.end]
                noise = torch.randn(part.shape, generator=dice)
                made[:, span.start : span.end] = (torch.tanh(part) + deviation * noise).clamp(-1, 1)
            else:
                chosen = torch.multinomial(torch.softmax(part, dim=1), 1, generator=dice)
                made[:, span.start : span.end].scatter_(1, chosen, 1.0)
        return made
