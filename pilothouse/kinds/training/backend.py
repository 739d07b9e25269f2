"""Who trains: transformers, or for tests a backend that computes alike and at once."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from pilothouse.kinds.training.checkpoint import Checkpoint
from pilothouse.kinds.training.course import Course, Plan
from pilothouse.kinds.training.params import Params
from pilothouse.kinds.training.record import Sample


class Backend(Protocol):
    """The outside world of a training."""

    def prepare(self, params: Params, folder: Path, tell: Callable[[str], None]) -> Plan:
        """Load the model, and turn the dataset into its tokens.

        Args:
            params: Of the run.
            folder: Where what later attempts need again is kept.
            tell: Takes a line for the activity feed.

        Raises:
            PilothouseError: Something cannot be loaded; the message says what.
        """

    def train(self, course: Course, folder: Path, start: Checkpoint | None) -> None:
        """Take every step that is left, and tell the course of each.

        Args:
            course: What to do after a step.
            folder: Holds the checkpoints.
            start: Where to go on.
        """

    def export(self, checkpoint: Checkpoint, target: Path) -> None:
        """Put a model that can be served into an empty folder."""


class ArithmeticBackend:
    """A "model" of one weight that is trained with noise from a generator. For tests only.

    Its checkpoints hold weight, generator and learning rate, so a resume that forgets
    one of them gives other losses.

    Args:
        on_step: Called after each step, with its number; may raise, or change the weight that it returns.
    """

    def __init__(self, on_step: Callable[[int], float | None] = lambda step: None) -> None:
        self._on_step = on_step
        self._params: Params | None = None

    def prepare(self, params: Params, folder: Path, tell: Callable[[str], None]) -> Plan:
        """10 steps go through the dataset."""
        self._params = params
        steps = params.steps or round(params.epochs * 10)
        return Plan(steps, 10, has_evaluation=params.eval_fraction > 0)

    def train(self, course: Course, folder: Path, start: Checkpoint | None) -> None:
        """See `Backend`."""
        assert self._params
        state: dict[str, Any] = {"weight": 1.0, "rate": course.learning_rate}
        draw = random.Random(self._params.seed)  # noqa: S311 - the noise of a test
        if start is not None:
            state = json.loads((start.folder / "state.json").read_text())
            draw.setstate((state["draw"][0], tuple(state["draw"][1]), state["draw"][2]))
        while course.step < course.steps:
            self._step(course, state, draw)

    def _step(self, course: Course, state: dict[str, Any], draw: random.Random) -> None:
        if course.learning_rate != state["rate"]:
            course.rate_changed(course.learning_rate, state["rate"])
            state["rate"] = course.learning_rate
        loss = state["weight"] ** 2 + draw.random() / 100
        state["weight"] *= 1 - state["rate"]
        changed = self._on_step(course.step + 1)
        if changed is not None:
            state["weight"] = loss = changed
        wanted = course.step_done((course.step + 1) / 10, loss, 64, 8)
        if wanted.log:
            course.logged(state["rate"], abs(loss))
        if wanted.evaluate:
            course.evaluated(state["weight"] ** 2, Sample("1 + 1 =", f"{state['weight']:.3f}", "2"))
        if wanted.save:
            place = course.about_to_save()
            place.mkdir(parents=True)
            (place / "state.json").write_text(json.dumps(state | {"draw": draw.getstate()}))
            course.saved()

    def export(self, checkpoint: Checkpoint, target: Path) -> None:
        """The weight alone."""
        state = json.loads((checkpoint.folder / "state.json").read_text())
        (target / "model.json").write_text(json.dumps({"weight": state["weight"]}))
