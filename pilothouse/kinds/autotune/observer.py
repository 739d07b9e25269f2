"""Watches one experiment while it goes on: tells phases and load, and ends what is hopeless or too long."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from pilothouse.kinds.autotune.measurement import Level, Sample, numbers
from pilothouse.kinds.autotune.params import Params
from pilothouse.kinds.autotune.score import RATES, in_digits, time_of
from pilothouse.kinds.autotune.server import ExperimentFailed
from pilothouse.sdk.handle import RunHandle
from pilothouse.sdk.signals import Cancelled

TELL_SECONDS = 0.5
FEWEST_SAMPLES = 5


class Hopeless(Exception):
    """An experiment is so much worse than the best one that the rest of it is not needed.

    Args:
        words: By how much.
        levels: What was measured until then.
    """

    def __init__(self, words: str, levels: list[Level]) -> None:
        super().__init__(words)
        self.words = words
        self.levels = levels


class Observer:
    """One experiment's watch; see `backend.Watch`.

    Args:
        best: The levels of the best experiment so far, as its item has them: by concurrency.
        is_ended: Asked at every look; True ends the experiment.
    """

    def __init__(
        self,
        run: RunHandle,
        params: Params,
        number: int,
        best: Mapping[int, Mapping[str, Any]],
        is_ended: Callable[[], bool] = lambda: False,
    ) -> None:
        self._run = run
        self._params = params
        self._number = number
        self._best = best
        self._is_ended = is_ended
        self._began = time.monotonic()
        self._told_at = 0.0
        self._phase_began = self._began
        self._name = ""
        self._phase: AbstractContextManager[None] | None = None
        self._judged: tuple[int, int] | None = None
        self.seconds: dict[str, float] = {}

    def phase(self, name: str) -> None:
        """A phase begins; the one before it is over."""
        self.leave()
        self._name, self._phase_began = name, time.monotonic()
        self._phase = self._run.phase(name)
        self._phase.__enter__()
        if name == "Benchmark":
            self._tell([], self._params.load.concurrencies[0], [])
        self.check()

    def leave(self) -> None:
        """The last phase is over."""
        if self._phase is None:
            return
        self.seconds[self._name] = round(time.monotonic() - self._phase_began, 3)
        self._phase.__exit__(None, None, None)
        self._phase = None

    def look(self, levels: list[Level], concurrency: int, samples: list[Sample]) -> None:
        """See `Watch`.

        Raises:
            Hopeless: The objective is far worse than the best one's at this level.
            ExperimentFailed: It takes too long.
        """
        self.check()
        now = time.monotonic()
        is_last = len(samples) == self._params.load.requests
        if now - self._told_at >= TELL_SECONDS or is_last:
            self._told_at = now
            self._tell(levels, concurrency, samples)
        place = (len(levels), len(samples))
        if len(samples) >= max(FEWEST_SAMPLES, concurrency) and place != self._judged:
            self._judged = place
            self._judge(levels, concurrency, samples)

    def check(self) -> None:
        """See `Watch`.

        Raises:
            ExperimentFailed: It takes too long.
            Cancelled: The run has ended.
        """
        if self._is_ended():
            raise Cancelled
        limit = self._params.experiment_seconds
        if time.monotonic() - self._began > limit:
            raise ExperimentFailed(f"The experiment took longer than {limit:g} s.")

    def _tell(self, levels: list[Level], concurrency: int, samples: list[Sample]) -> None:
        """How far the load is, as metrics."""
        load = self._params.load
        before = sum(len(level.samples) for level in levels)
        partial = numbers([_partial(concurrency, samples)]) if samples else {}
        self._run.metric(
            **{
                "load/experiment": self._number,
                "load/concurrency": concurrency,
                "load/requests": before + len(samples),
                "load/of": load.requests * len(load.concurrencies),
                "load/errors": sum(sample.error is not None for sample in samples),
                "load/tokens_per_second": partial.get("tokens_per_second"),
            },
        )

    def _judge(self, levels: list[Level], concurrency: int, samples: list[Sample]) -> None:
        factor, objective = self._params.stop_hopeless, self._params.objectives[0]
        if factor is None or len(self._params.objectives) > 1:
            return
        level = _partial(concurrency, samples)
        found = numbers([level], self._params.slo)
        now = time_of(objective, self._params.percentile, found)
        best = time_of(objective, self._params.percentile, self._best.get(concurrency, {}))
        if best and now is not None and self._is_hopeless(level, found, factor * best):
            words = f"{in_digits(now)} ms against {in_digits(best)} ms of the best"
            where = f"with {concurrency} side by side, after {len(samples)} requests"
            raise Hopeless(f"{words} {where}", [*levels, level])

    def _is_hopeless(self, level: Level, found: Mapping[str, Any], limit: float) -> bool:
        """Whether the rest of the level cannot bring its objective below the limit, in milliseconds.

        A quantile is beyond it only when more requests are than may lie above the quantile in the
        end: one slow request among the first says nothing. To a rate, what is in hand is added as
        if it were answered at this moment.
        """
        objective, samples, requests = self._params.objectives[0], level.samples, self._params.load.requests
        if objective not in RATES:
            times = (sample.milliseconds(objective) for sample in samples)
            above = sum(time > limit for time in times if time is not None)
            return above >= requests - int(self._params.percentile / 100 * (requests - 1))
        in_hand = min(level.concurrency, requests - len(samples)) / level.seconds
        one = 1 if objective == "goodput" else found["tokens"] / len(samples)
        rate: float = found[RATES[objective]] + in_hand * one
        return 1000 / rate > limit


def _partial(concurrency: int, samples: list[Sample]) -> Level:
    ended = max(sample.began + sample.seconds for sample in samples)
    return Level(concurrency, tuple(samples), ended - min(sample.began for sample in samples))
