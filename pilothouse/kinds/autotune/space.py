"""The points of a parameter space: how many there are, the n-th of the grid, one drawn by chance.

A grid is never written out: its n-th point is found by arithmetic, so that a
space of a billion points costs nothing. The last parameter changes first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Protocol

Value = bool | int | float | str
Point = dict[str, Value]

DIGITS = 6
_SHUFFLED_BELOW = 10_000
_MOST_REPEATS = 10_000


class Dimension(Protocol):
    """One parameter, as the params declare it."""

    @property
    def name(self) -> str:
        """What the server calls it."""

    @property
    def type(self) -> str:
        """`grid`, `categorical`, `int`, `float` or `log`."""

    @property
    def values(self) -> Sequence[Value]:
        """What `grid` and `categorical` choose from."""

    @property
    def low(self) -> float | None:
        """Least value of the others."""

    @property
    def high(self) -> float | None:
        """Highest value of the others."""

    @property
    def step(self) -> float | None:
        """Distance of two values; None: 1 for `int`, any distance for the others."""

    @property
    def count(self) -> int | None:
        """How many values a grid takes out of a range without steps."""


def choices(dimension: Dimension) -> list[Value] | None:
    """All values of a parameter, lowest first; None when there are infinitely many."""
    if dimension.type in ("grid", "categorical"):
        return list(dimension.values)
    low, high = _range(dimension)
    if dimension.type == "int":
        return list(range(int(low), int(high) + 1, int(dimension.step or 1)))
    if dimension.count:
        return _spread(low, high, dimension.count, is_log=dimension.type == "log")
    if dimension.step is None:
        return [low] if low == high else None
    count = math.floor((high - low) / dimension.step + 1e-9) + 1
    return [rounded(low + number * dimension.step) for number in range(count)]


def size(space: Sequence[Dimension]) -> int | None:
    """How many points a space has; None when there are infinitely many."""
    product = 1
    for dimension in space:
        if (values := choices(dimension)) is None:
            return None
        product *= len(values)
    return product


def grid_point(space: Sequence[Dimension], number: int) -> Point:
    """The point `number` of a finite space, counted from 0."""
    point: Point = {}
    for dimension in reversed(space):
        values = choices(dimension)
        assert values is not None
        number, place = divmod(number, len(values))
        point[dimension.name] = values[place]
    return {dimension.name: point[dimension.name] for dimension in space}


def random_points(space: Sequence[Dimension], seed: int) -> Iterator[Point]:
    """Points by chance, each one once, the same for the same seed; ends when the space is used up.

    A range that is narrower than the digits of its numbers has few points, though nobody counted them.
    """
    dice = Random(seed)  # noqa: S311 - a search, no secret
    count = size(space)
    if count is not None and count <= _SHUFFLED_BELOW:
        order = list(range(count))
        dice.shuffle(order)
        yield from (grid_point(space, number) for number in order)
        return
    seen: set[tuple[Value, ...]] = set()
    repeats = 0
    while repeats < _MOST_REPEATS:
        point = {dimension.name: _draw(dimension, dice) for dimension in space}
        repeats += 1
        if identity(point) not in seen:
            repeats = 0
            seen.add(identity(point))
            yield point
    for number in range(count or 0):  # chance finds the last few of many no more
        point = grid_point(space, number)
        if identity(point) not in seen:
            yield point


def holds(space: Sequence[Dimension], point: Mapping[str, Value]) -> bool:
    """Whether a point is one of a space's."""
    return {dimension.name for dimension in space} == point.keys() and all(
        _has(dimension, point[dimension.name]) for dimension in space
    )


def identity(point: Mapping[str, Value]) -> tuple[Value, ...]:
    """What tells two points apart; `True` and `1` are different values."""
    return tuple(f"{name}={type(value).__name__}:{value}" for name, value in sorted(point.items()))


def in_words(point: Mapping[str, Value]) -> str:
    """Such as `max-batch=4, order=2`."""
    return ", ".join(f"{name}={spelled(value)}" for name, value in point.items())


def spelled(value: Value) -> str:
    """A value as a command line has it; `true` and `false` in lower case."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def rounded(value: float, low: float = -math.inf, high: float = math.inf) -> float:
    """A number with six digits, within its range: more say nothing about a server's settings."""
    return min(max(float(f"{value:.{DIGITS}g}"), low), high)


def _has(dimension: Dimension, value: Value) -> bool:
    if (values := choices(dimension)) is not None:
        return any(type(each) is type(value) and each == value for each in values)
    low, high = _range(dimension)
    return isinstance(value, int | float) and low <= value <= high


def _range(dimension: Dimension) -> tuple[float, float]:
    assert dimension.low is not None and dimension.high is not None
    return dimension.low, dimension.high


def _spread(low: float, high: float, count: int, *, is_log: bool) -> list[Value]:
    if count == 1 or low == high:
        return [rounded(low)]
    shares = (number / (count - 1) for number in range(count))
    if is_log:
        return [rounded(low * (high / low) ** share) for share in shares]
    return [rounded(low + (high - low) * share) for share in shares]


def _draw(dimension: Dimension, dice: Random) -> Value:
    if (values := choices(dimension)) is not None:
        return dice.choice(values)
    low, high = _range(dimension)
    if dimension.type == "log":
        return rounded(math.exp(dice.uniform(math.log(low), math.log(high))), low, high)
    return rounded(dice.uniform(low, high), low, high)
