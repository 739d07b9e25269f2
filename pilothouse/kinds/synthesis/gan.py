"""A conditional tabular GAN, written from Xu et al., "Modeling Tabular Data using Conditional GAN" (2019).

Mode-specific normalisation, conditional vector, training-by-sampling, PacGAN, and
WGAN with gradient penalty (Gulrajani et al., 2017). Beyond the paper, for tables that
allow a few hundred steps only: moments that are matched, and weights that are
averaged (`moments.py`, `average.py`). One epoch at a time; every draw
comes from dice that are part of the state, so that a pause changes no digit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pilothouse.kinds.synthesis.average import Average
from pilothouse.kinds.synthesis.column import Ints
from pilothouse.kinds.synthesis.condition import Asked, Conditions
from pilothouse.kinds.synthesis.encoding import Encoder, Matrix
from pilothouse.kinds.synthesis.errors import TrainingFailed
from pilothouse.kinds.synthesis.moments import Moments
from pilothouse.kinds.synthesis.networks import Critic, Generator, activated, asked_loss, seeded
from pilothouse.kinds.synthesis.table import Table

NOISE = 128
PAC = 10
MAX_LEVELS = 5_000
PENALTY = 10.0
LEARNING_RATE = 5e-4
MOMENTS_WEIGHT = 100.0
BETAS = (0.5, 0.9)
DECAY = 1e-6
CPU = torch.device("cpu")


class ConditionalGan:
    """See `Learner`.

    Args:
        table: What to learn.
        epochs: Passes over the table.
        batch_size: Rows in one step; rounded down to a multiple of `PAC`.
        seed: Of the first weights and of all dice.
        between: See `Encoder`.

    Raises:
        TrainingFailed: The categories have more values than memory can hold: a pack takes each of them twenty
            times, and the correlations their square.
    """

    def __init__(
        self,
        table: Table,
        epochs: int,
        batch_size: int,
        seed: int,
        between: Callable[[], None] = lambda: None,
    ) -> None:
        levels = sum(len(column.levels) for column in table.learned)
        if levels > MAX_LEVELS:
            raise TrainingFailed(
                f"The categories have {levels:,} values together, a GAN takes at most {MAX_LEVELS:,}.",
                hint="Leave columns with many different values out, or use the method copula.",
            )
        self.epochs = epochs
        self._table = table
        self._encoder = Encoder(table, seed, between)
        matrix = self._encoder.encode(table, seed)
        self._matrix = torch.from_numpy(matrix)
        self._conditions = Conditions(matrix, self._encoder.categories)
        self._pac = min(PAC, table.rows)
        self._batch = max(self._pac, min(batch_size, table.rows) // self._pac * self._pac)
        self._steps = max(1, table.rows // self._batch)
        self._done = 0
        self._lots = np.random.default_rng(seed)
        self._dice = torch.Generator(CPU).manual_seed(seed)
        asked = self._conditions.width
        self._generator = seeded(seed, lambda: Generator(NOISE + asked, self._encoder.width))
        self._average = Average(self._generator)
        self._moments = Moments(self._encoder, table)
        self._critic = seeded(seed + 1, lambda: Critic(self._encoder.width + asked, self._pac, self._dice))
        self._generator_steps = torch.optim.Adam(
            self._generator.parameters(), LEARNING_RATE, betas=BETAS, weight_decay=DECAY
        )
        self._critic_steps = torch.optim.Adam(self._critic.parameters(), LEARNING_RATE, betas=BETAS)

    def epoch(self) -> Mapping[str, float]:
        """See `Learner`.

        Raises:
            TrainingFailed: A loss is no longer a number.
        """
        critic = generator = 0.0
        for _ in range(self._steps):
            critic = self._train_critic()
            generator = self._train_generator()
        self._done += 1
        if not math.isfinite(critic + generator):
            raise TrainingFailed(
                f"The GAN's loss is not a number after epoch {self._done}.",
                hint="Give fewer epochs, a larger batch size, or the method copula.",
            )
        return {"generator_loss": generator, "critic_loss": critic}

    def state(self) -> dict[str, Any]:
        """See `Learner`."""
        return {
            "done": self._done,
            "lots": self._lots.bit_generator.state,
            "dice": self._dice.get_state(),
            **{name: part.state_dict() for name, part in self._parts().items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """See `Learner`."""
        self._done = state["done"]
        self._lots.bit_generator.state = state["lots"]
        self._dice.set_state(state["dice"])
        for name, part in self._parts().items():
            part.load_state_dict(state[name])

    def sample(self, rows: int, seed: int) -> Table:
        """See `Learner`."""
        lots, dice = np.random.default_rng(seed), torch.Generator(CPU).manual_seed(seed)
        generator = self._average.network
        made: list[Matrix] = []
        with torch.no_grad():
            for start in range(0, rows, self._batch):
                count = min(self._batch, rows - start)
                vector = self._vector(self._conditions.draw_as_real(count, lots)) if self._is_asking else None
                raw = generator(_beside(torch.randn(count, NOISE, generator=dice), vector))
                made.append(activated(raw, self._encoder.spans, dice).numpy())
        return self._encoder.decode(np.concatenate(made), self._table)

    @property
    def _is_asking(self) -> bool:
        """False for a table without categories: there is nothing to ask for."""
        return bool(self._conditions.spans)

    def _parts(self) -> dict[str, Any]:
        return {
            "generator": self._generator,
            "average": self._average,
            "critic": self._critic,
            "generator_steps": self._generator_steps,
            "critic_steps": self._critic_steps,
        }

    def _train_critic(self) -> float:
        """One step of the critic; returns its loss."""
        fake_vector, fake, real_vector, real = self._batches()
        packed = self._critic.packed
        fakes, reals = packed(_beside(fake.detach(), fake_vector)), packed(_beside(real, real_vector))
        loss = self._critic(fakes).mean() - self._critic(reals).mean() + self._penalty(reals, fakes)
        self._critic_steps.zero_grad(set_to_none=True)
        loss.backward()
        self._critic_steps.step()
        return float(loss.detach())

    def _batches(self) -> tuple[Tensor | None, Tensor, Tensor | None, Tensor]:
        """Made rows and real rows that meet the same conditions, in another order."""
        if not self._is_asking:
            fake, _, _ = self._made(None)
            return None, fake, None, self._real(self._lots.integers(len(self._matrix), size=self._batch))
        asked = self._conditions.draw(self._batch, self._lots)
        fake, _, vector = self._made(asked)
        order = self._lots.permutation(self._batch)
        other = Asked(asked.vector[order], asked.columns[order], asked.values[order])
        real = self._real(self._conditions.rows_with(other, self._lots))
        return vector, fake, self._vector(other), real

    def _train_generator(self) -> float:
        """One step of the generator; returns its loss."""
        asked = self._conditions.draw(self._batch, self._lots) if self._is_asking else None
        fake, raw, vector = self._made(asked)
        loss = -self._critic(self._critic.packed(_beside(fake, vector))).mean()
        if asked is None:
            places = self._lots.integers(len(self._matrix), size=self._batch)
        else:
            places = self._conditions.rows_with(asked, self._lots)
            columns, values = torch.from_numpy(asked.columns), torch.from_numpy(asked.values)
            loss = loss + asked_loss(raw, self._conditions.spans, columns, values)
        loss = loss + MOMENTS_WEIGHT * self._moments.gap(fake, self._real(places))
        self._generator_steps.zero_grad(set_to_none=True)
        loss.backward()
        self._generator_steps.step()
        self._average.follow(self._generator)
        return float(loss.detach())

    def _made(self, asked: Asked | None) -> tuple[Tensor, Tensor, Tensor | None]:
        """Rows, the same before their activation, and the condition."""
        vector = self._vector(asked) if asked is not None else None
        noise = torch.randn(self._batch, NOISE, generator=self._dice)
        raw = self._generator(_beside(noise, vector))
        return activated(raw, self._encoder.spans, self._dice), raw, vector

    def _penalty(self, reals: Tensor, fakes: Tensor) -> Tensor:
        """How far the critic's slope between real and made packs is from 1, squared."""
        share = torch.rand(len(reals), 1, generator=self._dice)
        between = (share * reals + (1 - share) * fakes).requires_grad_(True)
        score = self._critic(between)
        (slope,) = torch.autograd.grad(score, between, torch.ones_like(score), create_graph=True)
        penalty: Tensor = PENALTY * ((slope.norm(2, dim=1) - 1) ** 2).mean()
        return penalty

    def _real(self, places: Ints) -> Tensor:
        return self._matrix[torch.from_numpy(places)]

    @staticmethod
    def _vector(asked: Asked) -> Tensor:
        return torch.from_numpy(asked.vector)


def _beside(rows: Tensor, vector: Tensor | None) -> Tensor:
    return rows if vector is None else torch.cat([rows, vector], dim=1)
