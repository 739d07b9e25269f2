"""Who learns a table: a network, a copula, or for tests something that answers by arithmetic.

A learner advances epoch by epoch and can be written down after each. Taken up
from there, in another process, it goes on exactly: its dice are part of its state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from pilothouse.kinds.synthesis.plan import Step
from pilothouse.kinds.synthesis.table import Table


class Learner(Protocol):
    """One method that learns one table.

    Attributes:
        epochs: How many there are in all.
    """

    epochs: int

    def epoch(self) -> Mapping[str, float]:
        """Learn for one epoch; returns the losses by name.

        Raises:
            TrainingFailed: It cannot go on.
        """

    def state(self) -> dict[str, Any]:
        """All that `restore` needs, dice included."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up a state."""

    def sample(self, rows: int, seed: int) -> Table:
        """Make a table. The same state, rows and seed give the same table."""


class Backend(Protocol):
    """Makes learners."""

    def learner(self, step: Step, table: Table, seed: int) -> Learner:
        """A learner that has learned nothing yet."""


class RealBackend:
    """The methods as they are.

    Args:
        between: Called again and again while a learner is made; may raise to leave.
    """

    def __init__(self, between: Callable[[], None] = lambda: None) -> None:
        self._between = between

    def learner(self, step: Step, table: Table, seed: int) -> Learner:
        """See `Backend`. Sets torch to one thread: sums keep their order, and small networks gain nothing by more."""
        import torch

        torch.set_num_threads(1)
        match step.method:
            case "ctgan":
                from pilothouse.kinds.synthesis.gan import ConditionalGan

                return ConditionalGan(table, step.epochs, step.batch_size, seed, self._between)
            case "tvae":
                from pilothouse.kinds.synthesis.vae import TabularVae

                return TabularVae(table, step.epochs, step.batch_size, seed, self._between)
            case "copula":
                from pilothouse.kinds.synthesis.copula import GaussianCopula

                return GaussianCopula(table)


class Shuffler:
    """Learns nothing and makes each column by lot from its own values. For tests only."""

    def __init__(self, table: Table, epochs: int) -> None:
        self.epochs = epochs
        self.done = 0
        self._table = table

    def epoch(self) -> Mapping[str, float]:
        """A loss that falls."""
        self.done += 1
        return {"loss": 1 / self.done}

    def state(self) -> dict[str, Any]:
        """How far it is."""
        return {"done": self.done}

    def restore(self, state: Mapping[str, Any]) -> None:
        """See `Learner`."""
        self.done = int(state["done"])

    def sample(self, rows: int, seed: int) -> Table:
        """Every column by itself: alike one by one, without what holds them together."""
        dice = np.random.default_rng(seed)
        return Table(
            tuple(
                column.filled(
                    rows,
                    None if column.numbers is None else dice.choice(column.numbers, rows),
                    None if column.codes is None else dice.choice(column.codes, rows),
                )
                for column in self._table.columns
            )
        )


class DeterministicBackend:
    """Shuffles instead of learning. For tests only."""

    def learner(self, step: Step, table: Table, seed: int) -> Learner:
        """See `Backend`."""
        return Shuffler(table, step.epochs)
