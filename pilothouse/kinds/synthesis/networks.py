"""The networks of the conditional GAN, and what both networks' outputs share.

Generator and critic are those of section 4.4 of the CTGAN paper: two hidden layers
of 256; the generator's are residual with batch normalisation, the critic looks
at `pac` rows at once (PacGAN, Lin et al., NeurIPS 2018). Every draw comes from
a generator that is given, so that a run can be taken up exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from pilothouse.kinds.synthesis.encoding import Span

Net = TypeVar("Net", bound=nn.Module)
HIDDEN = 256
TEMPERATURE = 0.2
DROPOUT = 0.5
SLOPE = 0.2


class Residual(nn.Module):
    """A layer whose output is put beside its input."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, hidden)
        self.norm = nn.BatchNorm1d(hidden)

    def forward(self, batch: Tensor) -> Tensor:
        """Shape `(rows, width)` to `(rows, hidden + width)`."""
        return torch.cat([torch.relu(self.norm(self.linear(batch))), batch], dim=1)


class Generator(nn.Module):
    """Noise and a condition to a row, before the activations of its spans."""

    def __init__(self, width_in: int, width_out: int, hidden: int = HIDDEN) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            Residual(width_in, hidden),
            Residual(width_in + hidden, hidden),
            nn.Linear(width_in + 2 * hidden, width_out),
        )

    def forward(self, batch: Tensor) -> Tensor:
        """Shape `(rows, width_in)` to `(rows, width_out)`."""
        rows: Tensor = self.layers(batch)
        return rows


class Critic(nn.Module):
    """How real do `pac` rows with their conditions look?"""

    def __init__(self, width: int, pac: int, dice: torch.Generator, hidden: int = HIDDEN) -> None:
        super().__init__()
        self._pac = pac
        self._dice = dice
        self.first = nn.Linear(width * pac, hidden)
        self.second = nn.Linear(hidden, hidden)
        self.last = nn.Linear(hidden, 1)

    def packed(self, batch: Tensor) -> Tensor:
        """`pac` rows beside each other."""
        return batch.reshape(-1, batch.shape[1] * self._pac)

    def forward(self, packs: Tensor) -> Tensor:
        """Shape `(packs, width · pac)` to `(packs, 1)`."""
        for layer in (self.first, self.second):
            packs = self._dropped(functional.leaky_relu(layer(packs), SLOPE))
        score: Tensor = self.last(packs)
        return score

    def _dropped(self, batch: Tensor) -> Tensor:
        kept = torch.rand(batch.shape, generator=self._dice) >= DROPOUT
        return batch * kept / (1 - DROPOUT)


def seeded(seed: int, make: Callable[[], Net]) -> Net:
    """A network whose first weights depend on the seed alone; torch's own state is left as it is."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


def activated(raw: Tensor, spans: Sequence[Span], dice: torch.Generator) -> Tensor:
    """Scalars by tanh, one-hot spans by Gumbel softmax (Jang et al., 2017) at temperature 0.2."""
    parts = []
    for span in spans:
        part = raw[:, span.start : span.end]
        if span.kind == "scalar":
            parts.append(torch.tanh(part))
        else:
            even = torch.rand(part.shape, generator=dice).clamp_(1e-20, 1 - 1e-7)
            parts.append(torch.softmax((part - torch.log(-torch.log(even))) / TEMPERATURE, dim=1))
    return torch.cat(parts, dim=1)


def asked_loss(raw: Tensor, spans: Sequence[Span], columns: Tensor, values: Tensor) -> Tensor:
    """Cross entropy between the values asked for and those made; mean over the batch."""
    total = raw.new_zeros(())
    for number, span in enumerate(spans):
        here = columns == number
        if bool(here.any()):
            part = raw[here, span.start : span.end]
            total = total + functional.cross_entropy(part, values[here], reduction="sum")
    return total / len(raw)
