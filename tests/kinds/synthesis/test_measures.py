"""The four gauges: what is alike, what is not, and a copy that is caught."""

from __future__ import annotations

import numpy as np
import pytest

from pilothouse.kinds.synthesis.backend import Shuffler
from pilothouse.kinds.synthesis.column import detect
from pilothouse.kinds.synthesis.gauge import Gauge, badness, gauges, verdict
from pilothouse.kinds.synthesis.likeness import Ties, association, compared, distance
from pilothouse.kinds.synthesis.measure import measure
from pilothouse.kinds.synthesis.params import Params
from pilothouse.kinds.synthesis.table import checked
from tests.kinds.synthesis.conftest import a_table


def test_a_copy_of_the_training_rows_is_caught() -> None:
    learned, held_out = a_table(400).split(0.3, 7)

    values = measure(learned, held_out, learned, 1)

    assert values["mia_auc"] == 1.0
    assert values["dup_rate"] == 1.0
    assert (values["ks_mean"], values["corr_delta"]) == (0, 0)
    assert verdict(gauges(values, Params(example="iris"))) == "fail"


def test_a_copy_of_half_of_the_rows_is_caught_too() -> None:
    learned, held_out = a_table(400).split(0.3, 7)

    values = measure(learned, held_out, learned.take(np.arange(140)), 1)

    assert (values["mia_auc"] or 0) > 0.7
    assert values["dup_rate"] == 1.0


def test_new_rows_of_the_same_make_give_nothing_away() -> None:
    table = a_table(900)
    learned, rest = table.split(0.6, 7)
    held_out, made = rest.split(0.5, 8)

    values = measure(learned, held_out, made, 1)

    assert (values["ks_mean"] or 1) < 0.1
    assert (values["corr_delta"] or 1) < 0.1
    assert 0.4 < (values["mia_auc"] or 0) < 0.6
    assert values["dup_rate"] == 0


def test_columns_torn_apart_keep_their_distributions_and_lose_what_held_them() -> None:
    learned, held_out = a_table(400).split(0.2, 7)

    values = measure(learned, held_out, Shuffler(learned, 1).sample(400, 1), 1)

    assert (values["ks_mean"] or 1) < 0.1
    assert (values["corr_delta"] or 0) > 0.5


def test_one_column_has_no_correlation_and_that_is_no_fail() -> None:
    table = checked("rows", {"only": [str(number * 0.5) for number in range(60)]})
    learned, held_out = table.split(0.2, 7)

    values = measure(learned, held_out, learned, 1)

    assert values["corr_delta"] is None
    assert gauges(values, Params(example="iris"))[1].verdict == "pass"


def test_distances_are_those_that_the_formulas_give() -> None:
    low, high = detect("n", ["1.5", "2.5"] * 20), detect("n", ["1.5"] * 30 + ["2.5"] * 10)
    words, others = detect("w", ["a", "b"] * 20), detect("w", ["a"] * 36 + ["b"] * 4)

    assert distance(low, high) == pytest.approx(0.25)
    assert distance(words, others) == pytest.approx(0.4)


def test_a_change_of_the_missing_share_counts_as_distance() -> None:
    full = detect("n", [f"{number}.5" for number in range(40)])
    gaps = detect("n", [f"{number}.5" if number % 2 else "" for number in range(40)])

    assert distance(full, gaps) == pytest.approx(0.5)


def test_what_holds_columns_together_is_measured_for_every_pair_of_types() -> None:
    table = checked(
        "rows",
        {
            "x": [f"{number % 10}.5" for number in range(100)],
            "minus_x": [f"{-(number % 10)}.5" for number in range(100)],
            "half": ["low" if number % 10 < 5 else "high" for number in range(100)],
            "same_half": ["l" if number % 10 < 5 else "h" for number in range(100)],
            "other": ["odd" if number // 10 % 2 else "even" for number in range(100)],
        },
    )
    x, minus_x, half, same_half, other = table.columns

    assert association(x, minus_x) < -0.99
    assert association(half, same_half) == pytest.approx(1.0)
    assert association(half, other) == pytest.approx(0.0, abs=1e-9)
    assert association(x, half) == association(half, x) == pytest.approx(0.87, abs=0.01)


def test_the_distance_of_numbers_is_that_of_scipy() -> None:
    from scipy.stats import ks_2samp

    dice = np.random.default_rng(4)
    one, other = dice.normal(0, 1, 70).round(1), dice.normal(0.5, 2, 45).round(1)

    found = distance(*(detect("n", [str(value) for value in values]) for values in (one, other)))

    assert found == pytest.approx(ks_2samp(one, other).statistic)


def test_ties_are_symmetric_and_their_delta_is_the_mean_over_all_pairs() -> None:
    real = a_table(300)
    ties = Ties.of(real, Shuffler(real, 1).sample(300, 2))

    told = ties.drawn()

    assert told["columns"] == ["size", "weight", "kind"]
    for matrix in (told["real"], told["synthetic"]):
        assert matrix == np.transpose(matrix).tolist()
        assert np.diagonal(matrix).tolist() == [1, 1, 1]
    assert told["real"][0][1] == pytest.approx(0.98, abs=0.01)
    assert abs(told["synthetic"][0][1]) < 0.2
    gaps = np.abs(np.subtract(told["real"], told["synthetic"]))
    assert ties.delta == pytest.approx((gaps[0, 1] + gaps[0, 2] + gaps[1, 2]) / 3, abs=1e-3)


def test_of_many_columns_those_are_drawn_whose_ties_changed_most() -> None:
    names = tuple(f"c{number}" for number in range(30))
    changed = np.eye(30)
    changed[3, 27] = changed[27, 3] = -0.5

    told = Ties(names, np.eye(30), changed).drawn()

    assert len(told["columns"]) == 20
    assert {"c3", "c27"} <= set(told["columns"])


def test_the_comparison_begins_with_the_worst_column_and_its_shares_sum_to_one() -> None:
    real = a_table(300)
    made = Shuffler(real, 1).sample(300, 2)
    shifted = made.columns[1].filled(300, numbers=made.columns[1].values + 40)
    made = type(real)((made.columns[0], shifted, made.columns[2]))

    rows = compared(real, made)

    assert rows[0]["column"] == "weight"
    for row in rows:
        assert len(row["labels"]) == len(row["real"]) == len(row["synthetic"])
        assert sum(row["real"]) == pytest.approx(1, abs=0.01)
    assert rows[0]["synthetic_mean"] - rows[0]["real_mean"] == pytest.approx(40, abs=4)


@pytest.mark.rows("S3.40", "S3.101", "S3.102", "S3.103", "S3.104")
def test_a_gauge_passes_warns_and_fails_at_its_limits() -> None:
    found = [Gauge("corr_delta", value, 0.10, 0.15) for value in (0.10, 0.12, 0.16)]

    assert [gauge.verdict for gauge in found] == ["pass", "warn", "fail"]
    assert found[1].text == "correlation delta 0.120 (warn)"


def test_limits_are_params() -> None:
    values = {"ks_mean": 0.2, "corr_delta": 0.2, "mia_auc": 0.7, "dup_rate": 0.2}
    wide = {"ks_mean_limit": 0.3, "corr_delta_warn": 0.3, "mia_auc_limit": 0.8, "dup_rate_limit": 0.3}

    narrow = gauges(values, Params(example="iris"))
    loose = gauges(values, Params.model_validate({"example": "iris", **wide}))

    assert [gauge.verdict for gauge in narrow] == ["fail"] * 4
    assert [gauge.verdict for gauge in loose] == ["pass", "warn", "pass", "pass"]


def test_fewer_red_gauges_are_better_than_smaller_numbers() -> None:
    one_red = [Gauge("ks_mean", 0.9, 0.1), Gauge("mia_auc", 0.5, 0.6)]
    two_red = [Gauge("ks_mean", 0.11, 0.1), Gauge("mia_auc", 0.61, 0.6)]

    assert badness(one_red) < badness(two_red)
