"""Which point comes next: all in turn, or by chance. `study.py` has the one that learns.

A grid and a random search have one order: the next experiment is the first point
that is not finished, so nothing has to be remembered for a resume, and a retry with
other values measures those that are new.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pilothouse.kinds.autotune import space as spaces
from pilothouse.kinds.autotune.params import Params
from pilothouse.kinds.autotune.space import Point, Value
from pilothouse.sdk.kind import Extra

EXTRA = Extra("tune", ("optuna",))


@dataclass(frozen=True, slots=True)
class Known:
    """An experiment that is finished.

    Attributes:
        values: The score of each objective; None when it has none: it failed, broke a hard
            limit, or was stopped early.
    """

    number: int
    point: Mapping[str, Value]
    values: Sequence[float] | None


class Strategy(Protocol):
    """Chooses points."""

    def ask(self, number: int) -> Point | None:
        """The point of an experiment, counted from 1; None when there is none left."""

    def tell(self, known: Known) -> None:
        """An experiment is finished."""


class Fixed:
    """Points in an order that no result changes.

    Args:
        points: All of them, in order.
        done: What is finished already, so that it is passed over.
    """

    def __init__(self, points: Iterator[Point], done: Collection[Known] = ()) -> None:
        self._points = points
        self._seen = {spaces.identity(known.point) for known in done}

    def ask(self, number: int) -> Point | None:
        """See `Strategy`."""
        return next((point for point in self._points if spaces.identity(point) not in self._seen), None)

    def tell(self, known: Known) -> None:
        """Results change nothing."""


def strategy_of(params: Params, folder: Path, done: Collection[Known], begun: Known | None) -> Strategy:
    """The strategy that the params name.

    Args:
        folder: Of the run; a study is kept in it.
        done: What is finished already; what the space does not hold (any more) is passed over.
        begun: What was interrupted: its number and point.

    Raises:
        MissingExtra: TPE without Optuna.
    """
    done = [known for known in done if spaces.holds(params.space, known.point)]
    match params.strategy:
        case "grid":
            count = spaces.size(params.space) or 0
            return Fixed((spaces.grid_point(params.space, number) for number in range(count)), done)
        case "random":
            return Fixed(spaces.random_points(params.space, params.seed), done)
        case "tpe":
            EXTRA.require("The strategy tpe")
            from pilothouse.kinds.autotune.study import Study

            return Study(params, folder, done, begun)
