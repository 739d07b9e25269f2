"""The loop: rows, resume, what cannot be measured, and early ends."""

from __future__ import annotations

import builtins
import threading
from typing import Any

import pytest

from pilothouse.kinds.autotune import KIND
from pilothouse.kinds.autotune.backend import DeterministicBackend, Watch
from pilothouse.kinds.autotune.measurement import Level
from pilothouse.kinds.autotune.space import Point
from pilothouse.sdk.kind import MissingExtra
from pilothouse.sdk.panels import Pareto
from pilothouse.sdk.signals import Cancelled, Fenced
from tests.kinds.attempts import Attempts
from tests.kinds.autotunes import attempts, cost, notes, params, perform, rows

__all__ = ["attempts"]


def test_every_point_of_a_grid_is_an_experiment_with_its_numbers(attempts: Attempts) -> None:
    server = attempts.server

    perform(attempts.begin(params()))

    found = rows(server)
    assert list(found) == ["1", "2", "3", "4", "5", "6"]
    best = found["3"].data
    assert (best["point"], best["param_a"], best["outcome"]) == ("a=2, b=1", 2, "measured")
    assert best["score"] == best["latency_p95_ms"] == pytest.approx(11 * 11)
    assert best["levels"][0]["concurrency"] == 1
    assert server.log.run.progress.total == 6
    assert server.log.run.metrics["best_score"] == pytest.approx(121)
    assert server.log.run.metrics["importance/a"] > server.log.run.metrics["importance/b"]  # type: ignore[operator]
    assert notes(server, "planned") == ["6 experiments of 6 points (grid over a, b) for low latency"]
    assert notes(server, "metrics")[-1] == "The best is #3 with 121: a=2, b=1"


def test_the_feed_tells_each_experiment_once_by_its_number_and_none_of_its_phases(
    attempts: Attempts,
) -> None:
    server = attempts.server

    perform(
        attempts.begin(params(stop_hopeless=None)),
        DeterministicBackend(cost, {"a=3, b=1": "The server ended with exit code 1."}),
    )

    assert KIND.declaration()["phases_of_items"]
    assert notes(server, "metrics")[:-1] == [
        "#1 (a=1, b=1): 231, the best so far",
        "#2 (a=1, b=2): 242",
        "#3 (a=2, b=1): 121, the best so far, a 1→2",
        "#4 (a=2, b=2): 132",
        "#6 (a=3, b=2): 242",
    ]
    assert [(key, body.error) for key, body in rows(server).items() if not body.ok] == [
        ("5", "The server ended with exit code 1.")
    ]


def test_an_experiment_tells_its_settings_its_phases_and_its_load_while_it_goes_on(
    attempts: Attempts,
) -> None:
    server = attempts.server

    perform(attempts.begin(params(experiments=1)))

    assert [body.label for body in server.bodies("item.started")] == ["#1 a=1, b=1"]
    assert [body.name for body in server.bodies("phase.started")] == ["Deploy", "Benchmark"]
    assert [body.name for body in server.bodies("phase.finished")] == ["Deploy", "Benchmark"]
    assert server.log.saved_state == {"number": 1, "point": {"a": 1, "b": 1}}
    load = [body.values for body in server.bodies("metric") if "load/of" in body.values]
    assert (load[0]["load/requests"], load[-1]["load/requests"], load[-1]["load/of"]) == (0, 6, 6)


def test_a_point_that_cannot_be_measured_is_a_row_with_its_reason_and_the_run_goes_on(
    attempts: Attempts,
) -> None:
    server = attempts.server
    backend = DeterministicBackend(cost, {"a=2, b=1": "The server ended with exit code 1."})

    perform(attempts.begin(params()), backend)

    bad = rows(server)["3"]
    assert (bad.ok, bad.error) == (False, "The server ended with exit code 1.")
    assert (bad.data["outcome"], bad.data["output"], bad.data["params"]) == (
        "failed",
        "last words",
        {"a": 2, "b": 1},
    )
    assert len(rows(server)) == 6
    assert server.log.run.metrics["failed"] == 1
    assert notes(server, "metrics")[-1].startswith("The best is #4")


def test_an_experiment_that_fails_in_an_unexpected_way_is_a_failed_row_like_any_other(
    attempts: Attempts,
) -> None:
    server = attempts.server

    class Odd(DeterministicBackend):
        def measure(self, number: int, point: Point, watch: Watch) -> list[Level]:
            watch.phase("Deploy")
            raise OSError(28, "No space left on device")

    perform(attempts.begin(params(experiments=1)), Odd(cost))

    row = rows(server)["1"]
    assert (row.ok, row.data["outcome"]) == (False, "failed")
    assert row.error == row.data["reason"]
    assert "No space left on device" in row.data["reason"]
    assert [body.name for body in server.bodies("phase.finished")] == ["Deploy"]


def test_an_objective_without_a_number_is_no_score_and_named(attempts: Attempts) -> None:
    server = attempts.server
    slo = [{"metric": "latency_p95_ms", "limit": 1}]

    perform(attempts.begin(params(experiments=1, objectives=["goodput"], slo=slo)))

    row = rows(server)["1"]
    assert (row.ok, row.data["outcome"], row.data["score"]) == (True, "no score", None)
    assert row.data["reason"] == "there is no goodput in what was measured"


def test_a_run_in_which_nothing_could_be_measured_ends_and_says_so(attempts: Attempts) -> None:
    server = attempts.server
    words = [f"a={a}, b={b}" for a in (1, 2, 3) for b in (1, 2)]

    perform(
        attempts.begin(params()), DeterministicBackend(cost, dict.fromkeys(words, "There is no command 'x'."))
    )

    assert [body.rule for body in server.bodies("guard.tripped")] == ["no_score"]
    assert len(notes(server, "error")) == 1


def test_a_later_attempt_does_nothing_twice_and_does_again_what_was_in_hand(attempts: Attempts) -> None:
    server = attempts.server

    class Dies(DeterministicBackend):
        def measure(self, number: int, point: Point, watch: Watch) -> list[Level]:
            if number == 4:
                server.next_attempt()
            return super().measure(number, point, watch)

    with pytest.raises(Fenced):
        perform(attempts.begin(params(strategy="random", seed=5)), Dies(cost))
    kept = {key: body.data["point"] for key, body in rows(server).items()}
    begun = server.log.saved_state
    backend = perform(attempts.begin())

    assert begun and begun["number"] == 4
    assert backend.measured[0] == (4, begun["point"])
    assert [number for number, _ in backend.measured] == [4, 5, 6]
    assert {key: rows(server)[key].data["point"] for key in kept} == kept
    assert len({body.data["point"] for body in rows(server).values()}) == 6
    assert notes(server, "planned")[-1].endswith(", 3 of them are done")


def test_the_number_of_experiments_may_be_changed_while_the_run_goes_on(attempts: Attempts) -> None:
    server = attempts.server
    handle = attempts.begin(params(experiments=5))

    class Changes(DeterministicBackend):
        def measure(self, number: int, point: Point, watch: Watch) -> list[Level]:
            handle.params["experiments"] = 3
            return super().measure(number, point, watch)

    perform(handle, Changes(cost))

    assert list(rows(server)) == ["1", "2", "3"]
    assert server.log.run.progress.total == 3


def test_a_number_of_experiments_below_those_that_are_done_ends_the_run_with_all_of_them(
    attempts: Attempts,
) -> None:
    server = attempts.server
    handle = attempts.begin(params(experiments=6))

    class Changes(DeterministicBackend):
        def measure(self, number: int, point: Point, watch: Watch) -> list[Level]:
            if number == 4:
                handle.params["experiments"] = 2
            return super().measure(number, point, watch)

    perform(handle, Changes(cost))

    assert list(rows(server)) == ["1", "2", "3", "4"]
    assert (server.log.run.progress.done, server.log.run.progress.total) == (4, 4)


def test_what_is_hopeless_is_stopped_early_and_is_no_failure(attempts: Attempts) -> None:
    server = attempts.server
    load = {"concurrencies": [1], "requests": 50, "warmup": 0}

    perform(
        attempts.begin(params(space=[{"name": "a", "values": [2, 60, 3]}], load=load)),
        DeterministicBackend(cost),
    )

    stopped = rows(server)["2"]
    assert (stopped.ok, stopped.data["outcome"], stopped.data["score"]) == (True, "stopped early", None)
    assert stopped.data["requests"] == 5
    assert "of the best with 1 side by side, after 5 requests" in stopped.data["reason"]
    assert rows(server)["3"].data["outcome"] == "measured"


def test_what_was_stopped_early_is_never_best_nor_on_the_front_nor_counted_as_keeping_promises(
    attempts: Attempts,
) -> None:
    server = attempts.server
    load = {"concurrencies": [1], "requests": 50, "warmup": 0}
    slo = [{"metric": "error_rate", "limit": 0.5}]

    perform(
        attempts.begin(params(space=[{"name": "a", "values": [2, 60, 3]}], load=load, slo=slo)),
        DeterministicBackend(cost),
    )

    (front,) = [panel for panel in KIND.panels if isinstance(panel, Pareto)]
    assert front.score is not None
    assert [body.data[front.score] is None for body in rows(server).values()] == [False, True, False]
    assert rows(server)["2"].data["slo_met"] is None
    assert server.log.run.metrics["slo_met"] == 2
    assert notes(server, "metrics")[-1].startswith("The best is #1 ")


def test_nothing_is_hopeless_when_that_is_switched_off_or_there_are_two_objectives(
    attempts: Attempts,
) -> None:
    server = attempts.server
    space = [{"name": "a", "values": [2, 60]}]

    perform(attempts.begin(params(space=space, objectives=["latency", "ttft"])))

    assert [body.data["outcome"] for body in rows(server).values()] == ["measured", "measured"]
    assert rows(server)["1"].data["scores"] == pytest.approx([121, 11])
    assert server.log.run.metrics["pareto"] == 1


def test_a_broken_promise_makes_the_score_worse_and_a_hard_limit_takes_it_away(attempts: Attempts) -> None:
    server = attempts.server
    slo = [{"metric": "latency_p95_ms", "limit": 125, "hard_fail": 0.5}]

    perform(attempts.begin(params(slo=slo)))

    found = rows(server)
    assert (found["3"].data["slo_met"], found["3"].data["score"]) == (True, pytest.approx(121))
    assert (found["4"].data["slo_met"], found["4"].data["outcome"]) == (False, "measured")
    assert found["4"].data["score"] > 132
    assert (found["1"].data["outcome"], found["1"].data["score"]) == ("out of limits", None)
    assert found["1"].data["reason"] == "beyond the limit: latency_p95_ms 231, limit 125"
    assert server.log.run.metrics["slo_met"] == 1


def test_an_experiment_that_takes_too_long_has_failed(attempts: Attempts) -> None:
    server = attempts.server

    class Slow(DeterministicBackend):
        def measure(self, number: int, point: Point, watch: Watch) -> list[Level]:
            while True:
                watch.check()

    perform(attempts.begin(params(experiments=1, experiment_seconds=0.05)), Slow(cost))

    assert rows(server)["1"].error == "The experiment took longer than 0.05 s."


def test_a_cancel_ends_the_experiment_in_hand_and_reports_nothing_of_it(attempts: Attempts) -> None:
    server = attempts.server
    handle = attempts.begin(params())
    stopped = threading.Event()

    class Waits(DeterministicBackend):
        def measure(self, number: int, point: Point, watch: Watch) -> list[Level]:
            server.cancel()
            try:
                while True:
                    watch.check()
            finally:
                stopped.set()

    with pytest.raises(Cancelled):
        perform(handle, Waits(cost))

    assert stopped.wait(30)
    handle._link.flush(30)
    assert rows(server) == {}


def test_a_strategy_whose_package_is_missing_fails_at_once_with_the_way_out(
    attempts: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pilothouse.sdk.kind.find_spec", lambda name: None)

    with pytest.raises(MissingExtra) as missing:
        perform(attempts.begin(params(strategy="tpe")))

    assert (
        missing.value.message == "The strategy tpe needs optuna, which is not installed where the host runs."
    )
    assert missing.value.hint == "Install it there: pip install 'pilothouse[tune]'"


def test_the_core_searches_without_optuna(attempts: Attempts, monkeypatch: pytest.MonkeyPatch) -> None:
    given = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        assert not name.startswith("optuna"), "imported"
        return given(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)

    perform(attempts.begin(params(strategy="random")))

    assert len(rows(attempts.server)) == 6
