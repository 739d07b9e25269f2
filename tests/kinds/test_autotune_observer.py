"""What watches one experiment: when it is hopeless, and when it only looks so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from pilothouse.kinds.autotune.measurement import Level, Sample, numbers, rounded
from pilothouse.kinds.autotune.observer import Hopeless, Observer
from pilothouse.kinds.autotune.params import Params
from tests.kinds.attempts import Attempts
from tests.kinds.autotunes import attempts, params

__all__ = ["attempts"]


def sample(seconds: float, began: float = 0.0, tokens: int = 10) -> Sample:
    return Sample(began, seconds, seconds / 10, tokens)


def watch(attempts: Attempts, best: Sequence[Sample], concurrency: int, **more: Any) -> Observer:
    load = {"concurrencies": [concurrency], "requests": len(best), "warmup": 0}
    checked = Params.model_validate(params(load=load, **more))
    seconds = max(each.began + each.seconds for each in best)
    level = rounded(numbers([Level(concurrency, tuple(best), seconds)], checked.slo))
    return Observer(attempts.begin(params()), checked, 2, {concurrency: level})


def answers(observer: Observer, samples: Sequence[Sample], concurrency: int) -> int:
    """How many answers there were when it was stopped; all of them where it was not."""
    for count in range(1, len(samples) + 1):
        try:
            observer.look([], concurrency, list(samples[:count]))
        except Hopeless:
            return count
    return len(samples)


@pytest.mark.parametrize(("slow", "stopped_at"), [(1, 200), (10, 200), (11, 11)])
def test_some_slow_answers_at_the_begin_are_not_hopeless_while_the_percentile_may_still_be_good(
    attempts: Attempts, slow: int, stopped_at: int
) -> None:
    observer = watch(attempts, [sample(1.0)] * 200, 1, objectives=["latency"])

    count = answers(observer, [sample(5.0)] * slow + [sample(1.0)] * (200 - slow), 1)

    assert count == stopped_at


def waves(count: int, seconds: float, concurrency: int = 4) -> list[Sample]:
    """So many answers, four at a time, each wave at once."""
    return [sample(seconds, began=number // concurrency * seconds) for number in range(count)]


@pytest.mark.parametrize("objective", ["throughput", "goodput"])
def test_a_setting_as_fast_as_the_best_is_not_hopeless_for_the_requests_that_are_in_hand(
    attempts: Attempts, objective: str
) -> None:
    more: dict[str, Any] = {"objectives": [objective], "stop_hopeless": 1.5}
    observer = watch(attempts, waves(20, 1.0), 4, **more)

    assert answers(observer, waves(20, 1.0), 4) == 20
    assert answers(watch(attempts, waves(20, 1.0), 4, **more), waves(20, 4.0), 4) < 10
