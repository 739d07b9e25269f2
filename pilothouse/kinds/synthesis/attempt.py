"""One attempt: a method learns the table epoch by epoch, makes another, and that is measured.

After each epoch comes a checkpoint and then the item, so that an epoch which
is finished is never learned again. Where the checkpoint is gone, the epochs are
learned again without being told again: the same seed gives the same digits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pilothouse.kinds.synthesis.backend import Backend, Learner
from pilothouse.kinds.synthesis.checkpoint import Checkpoint
from pilothouse.kinds.synthesis.gauge import Gauge, gauges, verdict
from pilothouse.kinds.synthesis.params import Params
from pilothouse.kinds.synthesis.plan import Step
from pilothouse.kinds.synthesis.steps import Steps, group_of
from pilothouse.kinds.synthesis.table import Table
from pilothouse.sdk.handle import RunHandle


@dataclass(frozen=True, slots=True)
class Data:
    """The table in its two parts, and how many rows to make."""

    learned: Table
    held_out: Table
    count: int


@dataclass(slots=True)
class Outcome:
    """What became of an attempt.

    Attributes:
        error: Why it failed; None when there is a table.
    """

    number: int
    step: Step
    error: str | None = None
    gauges: list[Gauge] = field(default_factory=list)
    comparison: list[dict[str, Any]] = field(default_factory=list)
    correlations: dict[str, Any] = field(default_factory=dict)


class Attempt:
    """One of the attempts of a run.

    Args:
        run: The handle.
        steps: The items of the run.
        number: From 1.
        step: The method and how long.
        data: What to learn.
        backend: Makes the learner.
        params: Of the run.
        has_time: False once the time limit is reached; asked before each epoch but the first.
    """

    def __init__(
        self,
        run: RunHandle,
        steps: Steps,
        number: int,
        step: Step,
        data: Data,
        backend: Backend,
        params: Params,
        has_time: Callable[[], bool],
    ) -> None:
        self.number, self.step = number, step
        self.folder = run.folder / "attempts" / str(number)
        self.checkpoint = Checkpoint(self.folder / "model.pt")
        self._run, self._steps, self._data = run, steps, data
        self._backend, self._params, self._has_time = backend, params, has_time
        self._known = {"attempt": number, "method": step.method}
        self._learner: Learner | None = None
        self._trouble: Exception | None = None
        self._done = 0
        self._losses: dict[str, float] = {}
        self._made: Table | None = None

    @property
    def file(self) -> Path:
        """The table that was made."""
        return self.folder / "synthetic.csv"

    def learn(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Learn what is left of the epochs; yields each with its losses.

        An attempt that failed before is not tried again; see `error`.
        """
        if self.error or self._key("metrics") in self._steps.finished:
            return
        try:
            self._take_up()
        except Exception as error:  # the item that needs the learner fails by it, and a backup follows
            self._trouble = error
        if self._key("table") in self._steps.finished:
            return
        self._steps.expect(self.number, self.step, self.step.epochs)
        for done in self._steps.each(
            self._epochs(),
            lambda epoch: self._key(f"epoch-{epoch}"),
            lambda epoch: f"{self.step.title}, epoch {epoch} of {self.step.epochs}",
            {**self._known, "step": "Training"},
            group_of(self.number, self.step),
            self._epoch,
        ):
            if done.ok:
                yield done.data["epoch"], done.data

    def make(self) -> None:
        """Make the table and keep it as a file."""
        done = self._steps.do(
            self._key("table"), "Making the table", {**self._known, "step": "Table"}, self._make
        )
        if done.ok:
            self._steps.expect(self.number, self.step, self.learned_epochs)

    def measure(self) -> None:
        """Measure the table."""
        known = {**self._known, "step": "Metrics"}
        self._steps.do(self._key("metrics"), "Measuring the table", known, self._measure)

    def forget(self) -> None:
        """Let the learner and its table go: a file of the table and a checkpoint are there."""
        self._learner = self._made = self._trouble = None
        self._done = 0

    @property
    def outcome(self) -> Outcome:
        """What became of it."""
        found = self._steps.finished.get(self._key("metrics"))
        if self.error or found is None:
            return Outcome(self.number, self.step, self.error or "it was not measured")
        values = gauges(found.data, self._params)
        comparison, correlations = found.data.get("comparison"), found.data.get("correlations")
        return Outcome(self.number, self.step, None, values, comparison or [], correlations or {})

    @property
    def error(self) -> str | None:
        """Why it failed; None while it did not."""
        begin = self._key("")
        failed = [done for key, done in self._steps.finished.items() if key.startswith(begin) and not done.ok]
        return (failed[0].error or "no reason given") if failed else None

    @property
    def learned_epochs(self) -> int:
        """The last epoch that is finished."""
        begin = self._key("epoch-")
        return max(
            (int(key[len(begin) :]) for key in self._steps.finished if key.startswith(begin)), default=0
        )

    def ensure_file(self) -> Path:
        """The file of the table; made again where the folder was lost."""
        if not self.file.exists():
            self._make()
        return self.file

    def _key(self, part: str) -> str:
        return f"{self.number}/{part}"

    def _epochs(self) -> Iterator[int]:
        for epoch in range(1, self.step.epochs + 1):
            is_new = self._key(f"epoch-{epoch}") not in self._steps.finished
            if epoch > 1 and is_new and not self._has_time():
                return
            yield epoch

    def _take_up(self) -> Learner:
        """The learner after the last finished epoch."""
        if self._trouble is not None:
            raise self._trouble
        if self._learner is not None:
            return self._learner
        learner = self._fresh()
        if kept := self.checkpoint.load():
            try:
                learner.restore(kept.state)
                self._done, self._losses = kept.epoch, kept.losses
            except (KeyError, TypeError, ValueError, RuntimeError):  # of another version
                learner = self._fresh()
        lost = self.learned_epochs - self._done
        if lost > 0:
            text = (
                f"The checkpoint of attempt {self.number} is gone or older; {lost} epochs are learned again."
            )
            self._run.note("training", f"{text} They give what they gave before.")
        while self._done < self.learned_epochs:
            self._run.safepoint()
            learner.epoch()
            self._done += 1
        self._learner = learner
        return learner

    def _fresh(self) -> Learner:
        """One that has learned nothing."""
        return self._backend.learner(self.step, self._data.learned, self._params.seed + self.number)

    def _epoch(self, epoch: int) -> dict[str, Any]:
        """Learn one epoch, unless the checkpoint has it already."""
        learner = self._take_up()
        if epoch > self._done:
            self._losses = dict(learner.epoch())
            self._done = epoch
            self.checkpoint.save(epoch, learner.state(), self._losses)
        return {"epoch": epoch, **{name: round(loss, 6) for name, loss in self._losses.items()}}

    def _synthetic(self) -> Table:
        """At least as many rows as were learned, so that measures mean something; the first are delivered."""
        if self._made is None:
            rows = max(self._data.count, self._data.learned.rows)
            self._made = self._take_up().sample(rows, self._params.seed + self.number)
        return self._made

    def _make(self) -> dict[str, Any]:
        table = self._synthetic().take(np.arange(self._data.count))
        self.folder.mkdir(parents=True, exist_ok=True)
        table.write(self.file)
        after = f" after {self.learned_epochs} epochs" if self.learned_epochs > 1 else ""
        return {"detail": f"{table.rows:,} rows{after}"}

    def _measure(self) -> dict[str, Any]:
        from pilothouse.kinds.synthesis.likeness import Ties, compared
        from pilothouse.kinds.synthesis.measure import measure

        learned, made = self._data.learned, self._synthetic()
        ties = Ties.of(learned, made)
        values = measure(learned, self._data.held_out, made, self._params.seed, ties)
        found = gauges(values, self._params)
        text = " · ".join(gauge.text for gauge in found)
        return {
            **values,
            "verdict": verdict(found),
            "detail": text,
            "comparison": compared(learned, made),
            "correlations": ties.drawn(),
        }
