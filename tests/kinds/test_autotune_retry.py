"""A retry with other params: what is reused of the old run, what is compared, and what is measured."""

from __future__ import annotations

from typing import Any

import pytest

from pilothouse.kinds.autotune import KIND
from pilothouse.kinds.autotune.backend import DeterministicBackend
from tests.kinds.attempts import Attempts
from tests.kinds.autotunes import attempts, cost, notes, params, perform, rows

__all__ = ["attempts"]


def retry(attempts: Attempts, changed: dict[str, Any]) -> DeterministicBackend:
    """A new run with other params that keeps what the old one finished."""
    server = attempts.server
    perform(attempts.begin(params()))
    kept = server.bodies("item.finished")
    server.add_run(**KIND.validate(params(**changed)))
    for body in kept:
        server.log.append(body.model_copy(update={"reused": True}))
    return perform(attempts.begin(), DeterministicBackend(lambda point: cost({"a": 2} | point)))


@pytest.mark.parametrize("strategy", ["grid", "random"])
def test_values_that_are_added_are_measured_and_those_that_were_measured_are_kept(
    attempts: Attempts, strategy: str
) -> None:
    more = [{"name": "a", "values": [2, 4, 1]}, {"name": "b", "values": [1, 2, 3]}]

    backend = retry(attempts, {"space": more, "strategy": strategy})

    points = [tuple(point.values()) for _, point in backend.measured]
    assert sorted(points) == [(1, 3), (2, 3), (4, 1), (4, 2), (4, 3)]
    assert [number for number, _ in backend.measured] == [7, 8, 9, 10, 11]
    progress = attempts.server.log.run.progress
    assert (progress.done, progress.total) == (11, 11)
    assert notes(attempts.server, "metrics")[-1].startswith("The best is #3 with 121")


def test_what_was_measured_otherwise_does_not_count_as_one_of_the_experiments(attempts: Attempts) -> None:
    load = {"concurrencies": [2], "requests": 6, "warmup": 0}

    backend = retry(attempts, {"load": load, "experiments": 2})

    assert [number for number, _ in backend.measured] == [7, 8]


@pytest.mark.parametrize(
    "changed",
    [
        {"space": [{"name": "c", "values": [1, 2, 3, 4, 5]}]},
        {"objectives": ["latency", "ttft"]},
        {"load": {"concurrencies": [2], "requests": 6, "warmup": 0}},
        {"slo": [{"metric": "ttft_p95_ms", "limit": 1}]},
    ],
)
def test_what_was_measured_otherwise_is_kept_and_is_never_the_best(
    attempts: Attempts, changed: dict[str, Any]
) -> None:
    backend = retry(attempts, changed)

    server = attempts.server
    new = len(backend.measured)
    assert new == (5 if "space" in changed else 6)
    assert len(rows(server)) == 6 + new
    assert notes(server, "planned")[-1].startswith("6 experiments of the run that this one retries were")
    best = int(notes(server, "metrics")[-1].partition("#")[2].partition(" ")[0])
    assert best > 6
    assert (server.log.run.progress.done, server.log.run.progress.total) == (6 + new, 6 + new)
