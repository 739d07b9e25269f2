"""Scores, promises, quantiles, importances: numbers that can be checked by hand."""

from __future__ import annotations

import math
from random import Random

import pytest

from pilothouse.kinds.autotune.board import Board
from pilothouse.kinds.autotune.importance import importances
from pilothouse.kinds.autotune.measurement import Level, Sample, common_errors, numbers, quantile
from pilothouse.kinds.autotune.params import Params
from pilothouse.kinds.autotune.parts import Slo
from pilothouse.kinds.autotune.score import is_dominated, judge, scores


def a_sample(began: float = 0.0, seconds: float = 1.0, **more: object) -> Sample:
    return Sample(began, seconds, **{"ttft": 0.2, "tokens": 9, **more})  # type: ignore[arg-type]


def test_the_numbers_of_a_level_are_those_of_its_requests() -> None:
    samples = (a_sample(0, 1.0), a_sample(0.5, 2.0), a_sample(1, 1.0, error="HTTP 500", tokens=0, ttft=None))

    found = numbers([Level(2, samples, 2.5)])

    assert (found["requests"], found["errors"], found["tokens"]) == (3, 1, 18)
    assert found["error_rate"] == pytest.approx(1 / 3)
    assert found["tokens_per_second"] == pytest.approx(18 / 2.5)
    assert found["requests_per_second"] == pytest.approx(2 / 2.5)
    assert found["latency_p50_ms"] == pytest.approx(1500)
    assert found["ttft_p99_ms"] == pytest.approx(200)
    assert found["tpot_p50_ms"] == pytest.approx((0.8 / 8 + 1.8 / 8) / 2 * 1000)
    assert found["tokens_estimated"] is False


def test_goodput_counts_the_answers_that_keep_the_promises_about_one_request() -> None:
    samples = (a_sample(0, 1.0), a_sample(0, 3.0), a_sample(0, 1.0, ttft=0.9))
    slos = [
        Slo(metric="latency_p95_ms", limit=2000),
        Slo(metric="ttft_p50_ms", limit=500),
        Slo(metric="error_rate", limit=1),
    ]

    assert numbers([Level(3, samples, 2.0)], slos)["goodput"] == pytest.approx(0.5)
    assert numbers([Level(3, samples, 2.0)])["goodput"] == pytest.approx(1.5)


def test_a_level_without_answers_has_no_numbers_instead_of_wrong_ones() -> None:
    found = numbers([Level(1, (a_sample(error="no"),), 1.0)])

    assert found["error_rate"] == 1
    assert {found[name] for name in ("tokens_per_second", "goodput", "latency_p95_ms", "tpot_p50_ms")} == {
        None
    }


def test_tokens_that_the_server_did_not_count_are_marked() -> None:
    assert numbers([Level(1, (a_sample(is_estimated=True), a_sample()), 1.0)])["tokens_estimated"] is True


@pytest.mark.parametrize(("share", "value"), [(0, 1), (0.5, 2.5), (0.95, 3.85), (1, 4)])
def test_quantiles_interpolate(share: float, value: float) -> None:
    assert quantile([1, 2, 3, 4], share) == pytest.approx(value)
    assert quantile([], share) is None


def test_frequent_errors_are_told_first() -> None:
    samples = [a_sample(error=text) for text in ("rare", "often", "often", "rarest")]

    assert common_errors(samples) == "2 × often; rare"


def test_a_promise_that_is_kept_changes_nothing_and_a_broken_one_multiplies() -> None:
    slos = [Slo(metric="ttft_p95_ms", limit=100, weight=2), Slo(metric="tokens_per_second", limit=50)]

    kept = judge(slos, {"ttft_p95_ms": 100, "tokens_per_second": 50})
    broken = judge(slos, {"ttft_p95_ms": 110, "tokens_per_second": 40})

    assert (kept.factor, kept.broken, kept.is_out) == (1.0, (), False)
    assert broken.factor == pytest.approx(1 + 2 * math.exp(0.1 / 0.1) + 1 * math.exp(0.2 / 0.1))
    assert broken.broken == ("ttft_p95_ms 110, limit 100", "tokens_per_second 40, limit 50")


def test_a_limit_that_is_missed_by_too_much_puts_a_setting_out() -> None:
    slo = Slo(metric="latency_p95_ms", limit=100, hard_fail=0.5)

    assert not judge([slo], {"latency_p95_ms": 150}).is_out
    assert judge([slo], {"latency_p95_ms": 151}).is_out
    assert not judge([slo], {}).broken


def test_what_is_missed_by_far_is_worse_by_far_and_no_astronomical_number() -> None:
    slo = Slo(metric="ttft_p95_ms", limit=100)

    factors = [judge([slo], {"ttft_p95_ms": value}).factor for value in (130, 131, 140, 200, 700)]

    assert factors == sorted(factors)
    assert factors[0] == pytest.approx(1 + math.exp(3))
    assert factors[2] - factors[0] == pytest.approx(math.exp(3))  # 10 % more of the limit
    assert factors[-1] < 1_200


def test_a_score_is_a_time_so_that_low_is_good_for_every_objective() -> None:
    found = {"latency_p99_ms": 30.0, "tokens_per_second": 200.0, "goodput": 0.0}

    assert scores(["latency"], 99, found, 2.0) == [60.0]
    assert scores(["throughput", "latency"], 99, found, 1.0) == [5.0, 30.0]
    assert scores(["goodput"], 95, found, 1.0) is None
    assert scores(["ttft"], 95, found, 1.0) is None


def test_no_other_beats_what_is_on_the_front() -> None:
    assert is_dominated([2, 2], [1, 2])
    assert not is_dominated([1, 2], [1, 2])
    assert not is_dominated([1, 3], [2, 2])


def test_the_parameter_that_decides_is_the_important_one() -> None:
    dice = Random(3)
    points = [
        ({"a": a, "b": b, "c": c}, 10.0 * a + b + dice.random())
        for a in (1, 2)
        for b in (1, 2, 3)
        for c in range(8)
    ]

    found = importances(points)

    assert sum(found.values()) == pytest.approx(1)
    assert found["a"] > 0.9 > 0.1 > found["b"] > 0.01 > found["c"]


def test_importances_need_four_measurements_and_some_spread() -> None:
    assert importances([({"a": 1}, 1.0)] * 3) == {}
    assert importances([({"a": n % 2}, 1.0) for n in range(6)]) == {"a": 0.0}


def test_the_board_knows_the_best_and_the_front_and_what_differs() -> None:
    board = Board(
        Params.model_validate({"space": [{"name": "a", "values": [1, 2, 3]}], "objectives": ["ttft", "tpot"]})
    )

    for number, values in enumerate(([5.0, 1.0], [3.0, 3.0], [6.0, 2.0]), 1):
        board.add({"number": number, "params": {"a": number}, "scores": values}, ok=True)
    board.add({"number": 4, "params": {"a": 1}}, ok=False)
    board.add({}, ok=False)

    assert board.best and board.best.known.number == 2
    assert [entry.known.number for entry in board.pareto()] == [1, 2]
    assert board.difference({"a": 3}) == "a 2→3"
    assert (board.count, board.metrics(None)["failed"], board.metrics(None)["pareto"]) == (4, 1, 2)
