"""The loop of an autotune: one experiment after another, each an item named by its number.

An experiment that cannot be measured is a failed item with its reason, and never
the end of the run. What was in hand when the job died is done again, with the
same settings. Experiments never run side by side: they would measure each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pilothouse.kinds.autotune.backend import Backend, LiveBackend
from pilothouse.kinds.autotune.board import Board
from pilothouse.kinds.autotune.measurement import Level, common_errors, numbers, rounded
from pilothouse.kinds.autotune.news import News
from pilothouse.kinds.autotune.observer import Hopeless, Observer
from pilothouse.kinds.autotune.params import Params
from pilothouse.kinds.autotune.score import judge, scores, time_of
from pilothouse.kinds.autotune.server import ExperimentFailed
from pilothouse.kinds.autotune.space import Point
from pilothouse.kinds.autotune.space import in_words as point_in_words
from pilothouse.kinds.autotune.strategy import Known, Strategy, strategy_of
from pilothouse.sdk.done import Done, in_words
from pilothouse.sdk.handle import RunHandle
from pilothouse.sdk.signals import Cancelled, ItemFailed


@dataclass(frozen=True, slots=True)
class Experiment:
    """A point to measure. `number` counts from 1."""

    number: int
    point: Point

    @property
    def key(self) -> str:
        """The item's name within the run."""
        return str(self.number)

    @property
    def label(self) -> str:
        """What the screen shows while it is in hand."""
        return f"#{self.number} {point_in_words(self.point)}"

    def columns(self) -> dict[str, Any]:
        """What is known before the measurement."""
        flat = {f"param_{name}": value for name, value in self.point.items()}
        return {"number": self.number, "point": point_in_words(self.point), "params": self.point, **flat}


def run(run: RunHandle) -> None:
    """Tune a real server."""
    params = Params.model_validate(run.params)
    Autotune(run, params, LiveBackend(params, run.folder)).run()


class Autotune:
    """One attempt of one autotune.

    Args:
        run: The handle; its live params are read between experiments.
        params: The validated params.
        backend: What measures a point.
    """

    def __init__(self, run: RunHandle, params: Params, backend: Backend) -> None:
        self._run = run
        self._params = params
        self._backend = backend
        self._board = Board(params)
        self._news = News(run, params, self._board)
        self._is_over = False
        self._is_used_up = False
        self._outside = 0

    def run(self) -> None:
        """Do what is left of the experiments.

        Raises:
            MissingExtra: The strategy needs a package that is not installed.
        """
        for old in self._run.finished():
            self._board.add(old.data, ok=old.ok)
        self._outside = self._board.outside
        strategy = strategy_of(self._params, self._run.folder, self._board.known, self._begun())
        self._run.total(self._total())
        self._news.planned(self._total())
        try:
            for done in self._run.map(
                self._work,
                self._wanted(strategy),
                key=lambda experiment: experiment.key,
                describe=lambda experiment: experiment.columns() | {"basis": self._params.basis},
                label=lambda experiment: experiment.label,
            ):
                self._count(strategy, done)
        finally:
            self._is_over = True
            self._backend.close()
        self._news.concluded(is_used_up=self._is_used_up)

    def _begun(self) -> Known | None:
        """The experiment that was in hand when the last attempt ended."""
        state = self._run.saved_state or {}
        number, point = state.get("number"), state.get("point")
        if not isinstance(number, int) or not isinstance(point, dict):
            return None
        return None if number in self._board.numbers else Known(number, point, None)

    def _total(self) -> int:
        limit = int(self._run.params.get("experiments", self._params.experiments))
        return self._params.model_copy(update={"experiments": limit}).total(self._outside, self._board.others)

    def _wanted(self, strategy: Strategy) -> Iterator[Experiment]:
        """The experiments to begin; asked for the next one when the last one is counted."""
        finished = self._board.numbers
        number, told = 0, self._total()
        while number < (total := self._total()):
            if total != told:
                self._run.total(told := total)
            number += 1
            if number in finished:
                continue
            point = strategy.ask(number)
            if point is None:
                self._is_used_up = True
                self._run.total(self._board.count)
                return
            self._run.save_state({"number": number, "point": point})
            yield Experiment(number, point)
        if (end := max(total, self._board.count)) != told:  # lowered while the last one was in hand
            self._run.total(end)

    def _work(self, experiment: Experiment) -> dict[str, Any]:
        """One experiment; in a worker thread."""
        best = self._board.best
        levels = {level["concurrency"]: level for level in best.data.get("levels") or ()} if best else {}
        observer = Observer(self._run, self._params, experiment.number, levels, lambda: self._is_over)
        more = {"difference": self._board.difference(experiment.point)}
        try:
            measured = self._backend.measure(experiment.number, experiment.point, observer)
            observer.leave()
            return self._outcome(measured) | more | _times(observer)
        except Hopeless as hopeless:
            observer.leave()
            found = self._columns(hopeless.levels)
            unknown = {"score": None, "scores": None, **({"slo_met": None} if self._params.slo else {})}
            reason = {"outcome": "stopped early", "reason": hopeless.words}
            return found | unknown | reason | more | _times(observer)
        except Exception as error:
            if self._is_over:
                raise Cancelled from None
            observer.leave()
            failure = error if isinstance(error, ExperimentFailed) else ExperimentFailed(in_words(error))
            stopped = {"outcome": "failed", "reason": failure.reason, "output": failure.output or None}
            raise ItemFailed(failure.reason, **stopped, **more, **_times(observer)) from error

    def _outcome(self, levels: list[Level]) -> dict[str, Any]:
        """The columns of a measurement that came to its end.

        Raises:
            ExperimentFailed: Too many requests failed.
        """
        found = self._columns(levels)
        if found["error_rate"] > self._params.load.max_error_rate or not found["tokens"]:
            errors = common_errors(sample for level in levels for sample in level.samples)
            raise ExperimentFailed(f"{found['errors']} of {found['requests']} requests failed: {errors}.")
        verdict = judge(self._params.slo, found)
        values = scores(self._params.objectives, self._params.percentile, found, verdict.factor)
        if verdict.is_out or values is None:
            how, why = "out of limits", f"beyond the limit: {'; '.join(verdict.broken)}"
            if not verdict.is_out:
                how, why = "no score", self._why_unscored(found)
            return found | {"outcome": how, "reason": why, "score": None, "scores": None}
        reason = "; ".join(verdict.broken) or None
        values = [round(value, 6) for value in values]
        return found | {"outcome": "measured", "reason": reason, "score": values[0], "scores": values}

    def _why_unscored(self, found: Mapping[str, Any]) -> str:
        """Such as no good answer at all, or no time per token where answers have one token."""
        percentile = self._params.percentile
        known = (each for each in self._params.objectives if time_of(each, percentile, found) is None)
        return f"there is no {', '.join(known)} in what was measured"

    def _columns(self, levels: list[Level]) -> dict[str, Any]:
        slos = self._params.slo
        found = rounded(numbers(levels, slos))
        kept = {"slo_met": not judge(slos, found).broken} if slos else {}
        by_level = [{"concurrency": level.concurrency, **rounded(numbers([level], slos))} for level in levels]
        return found | kept | {"levels": by_level}

    def _count(self, strategy: Strategy, done: Done[Experiment]) -> None:
        data = dict(done.data)
        best = self._board.add(data, ok=done.ok)
        latest = self._board.latest()
        assert latest is not None
        strategy.tell(latest.known)
        self._run.metric(step=latest.known.number, **self._board.metrics(latest))
        self._news.after(done, is_best=best is not None)


def _times(observer: Observer) -> dict[str, Any]:
    seconds = observer.seconds
    named = {"Deploy": "deploy_seconds", "Benchmark": "benchmark_seconds"}
    return {name: seconds[phase] for phase, name in named.items() if phase in seconds}
