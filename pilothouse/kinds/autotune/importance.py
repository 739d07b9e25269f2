"""How much each parameter matters: the share of the scores' spread that its values explain.

Scores are times, and what makes them worse multiplies them, so their logarithms are
compared: else the one setting that is a hundred times worse would decide alone. An
additive model, log score = mean + one effect for each value of each parameter, is
fitted to the measured points by backfitting (Hastie and Tibshirani, "Generalized
additive models", 1990): the main effects of a functional analysis of variance
(Hutter, Hoos and Leyton-Brown, ICML 2014). Ranges fall into quarters. From each
effect's spread that is taken which noise alone would make, so that a parameter
with many values does not look important by chance.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean

from pilothouse.kinds.autotune.space import Value

FEWEST = 4
MOST_GROUPS = 5
QUARTERS = 4
ROUNDS = 20


def importances(measured: Sequence[tuple[Mapping[str, Value], float]]) -> dict[str, float]:
    """Shares that sum to 1, or all 0 when nothing is explained; empty below four measurements.

    Args:
        measured: Points with their scores, which are above 0.
    """
    if len(measured) < FEWEST:
        return {}
    groups = {name: _groups([point[name] for point, _ in measured]) for name in measured[0][0]}
    logarithms = [math.log(score) for _, score in measured]
    mean = fmean(logarithms)
    rest = [each - mean for each in logarithms]
    effects = _fit(groups, rest)
    found = {name: _spread(effects[name]) for name in groups}
    left = len(rest) - 1 - sum(len(set(labels)) - 1 for labels in groups.values())
    noise = _spread(rest) / left if left > 0 else 0.0
    shares = {name: max(0.0, found[name] - (len(set(groups[name])) - 1) * noise) for name in groups}
    total = sum(shares.values())
    return {name: share / total if total else 0.0 for name, share in shares.items()}


def _fit(groups: Mapping[str, Sequence[object]], rest: list[float]) -> dict[str, list[float]]:
    """The effect of each parameter on each point; `rest` becomes what no effect explains."""
    effects = {name: [0.0] * len(rest) for name in groups}
    for _ in range(ROUNDS):
        for name, labels in groups.items():
            partial = [left + effect for left, effect in zip(rest, effects[name], strict=True)]
            members: defaultdict[object, list[float]] = defaultdict(list)
            for label, value in zip(labels, partial, strict=True):
                members[label].append(value)
            means = {label: fmean(values) for label, values in members.items()}
            effects[name] = [means[label] for label in labels]
            rest[:] = [value - effect for value, effect in zip(partial, effects[name], strict=True)]
    return effects


def _spread(values: Sequence[float]) -> float:
    mean = fmean(values)
    return sum((value - mean) ** 2 for value in values)


def _groups(values: Sequence[Value]) -> list[object]:
    """The group of each value: itself, or the quarter of the range where there are many numbers."""
    numbers = sorted(value for value in values if isinstance(value, int | float))
    named = [f"{type(value).__name__}:{value}" for value in values]
    if len(set(named)) <= MOST_GROUPS or len(numbers) < len(values):
        return list(named)
    edges = [numbers[len(numbers) * part // QUARTERS] for part in range(1, QUARTERS)]
    return [sum(float(value) >= edge for edge in edges) for value in values]
