"""Made numbers moved to the table's own distribution: measured, and left out of the product (docs/adr/0018).

The distributional transform (Rüschendorf, 2009): with `F` the distribution that a method makes and an
even `v`, `F(x-) + v (F(x) - F(x-))` is even, and the table's quantile of it, between two neighbouring
values, has the table's distribution. Smoothed as Silverman's book has it (1986, sections 3.4 and 6.4).
"""

from __future__ import annotations

import math

import numpy as np

from pilothouse.kinds.synthesis.backend import Learner
from pilothouse.kinds.synthesis.column import Column, Floats
from pilothouse.kinds.synthesis.table import Table

REFERENCE_ROWS = 10_000
REFERENCE_SEED = 1_000


def moved(learner: Learner, learned: Table, made: Table, seed: int, bandwidth: float = 0.0) -> Table:
    """The made rows with other numbers; categories and missing values stay as they are.

    Args:
        learner: Makes many more rows, which tell the distribution that it makes.
        learned: Its distributions are wanted.
        made: The rows to move.
        seed: Of the dice.
        bandwidth: Of the noise that smooths, in `spread / rows^(1/5)`; 0: none.
    """
    dice, reference = np.random.default_rng(seed), learner.sample(REFERENCE_ROWS, seed + REFERENCE_SEED)
    columns = zip(made.columns, learned.columns, reference.columns, strict=True)
    return Table(tuple(_moved(*each, dice, bandwidth) for each in columns))


def _moved(
    made: Column, learned: Column, reference: Column, dice: np.random.Generator, bandwidth: float
) -> Column:
    if made.numbers is None or not len(learned.values) or not len(reference.values):
        return made
    wanted, numbers = np.sort(learned.values), made.numbers.copy()
    there = ~np.isnan(numbers)
    found = np.quantile(wanted, _levels(np.sort(reference.values), numbers[there], dice))
    if bandwidth:
        found = _smoothed(found, wanted, dice, bandwidth)
    numbers[there] = found
    return made.filled(made.rows, numbers=numbers)


def _levels(reference: Floats, numbers: Floats, dice: np.random.Generator) -> Floats:
    """Each number's place in a sorted sample, 0 to 1; among equal ones by lot."""
    below, upto = (np.searchsorted(reference, numbers, side=side) for side in ("left", "right"))
    levels: Floats = (below + dice.random(len(numbers)) * (upto - below)) / len(reference)
    return levels


def _smoothed(numbers: Floats, wanted: Floats, dice: np.random.Generator, bandwidth: float) -> Floats:
    """With noise, and drawn together so that the deviation stays what it was."""
    mean, deviation = wanted.mean(), wanted.std()
    if deviation == 0:
        return numbers
    between = float(np.subtract(*np.percentile(wanted, [75, 25]))) / 1.34
    noise = bandwidth * min(deviation, between or deviation) * len(wanted) ** -0.2
    shaken = numbers + noise * dice.standard_normal(len(numbers)) - mean
    smooth: Floats = (mean + shaken / math.hypot(1, noise / deviation)).clip(wanted[0], wanted[-1])
    return smooth
