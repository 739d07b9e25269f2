"""The numbers are right, and the evidence is exact."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.kinds.benchmark.analysis import quality, quantile, wilson
from pilothouse.kinds.benchmark.evidence import Standing, weigh


@pytest.mark.parametrize(
    ("correct", "total", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),  # Agresti and Coull (1998); also statsmodels' proportion_confint
        (5, 10, 0.2366, 0.7634),
        (10, 10, 0.7225, 1.0),
        (44, 50, 0.7620, 0.9438),
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilson_intervals_agree_with_published_values(
    correct: int, total: int, low: float, high: float
) -> None:
    assert wilson(correct, total) == pytest.approx((low, high), abs=5e-5)


def test_quantiles_are_values_that_occurred() -> None:
    assert quantile([1.0, 2.0, 3.0, 4.0], 0.5) == 2.0
    assert quantile([float(n) for n in range(1, 101)], 0.95) == 95.0
    assert quantile([], 0.5) is None


def test_precision_recall_and_f1_are_averaged_over_the_votes() -> None:
    found = quality({("A", "A"): 3, ("A", "B"): 1, ("B", "B"): 2, ("B", None): 2})

    assert found.precision == pytest.approx((3 / 3 + 2 / 3) / 2)
    assert found.recall == pytest.approx((3 / 4 + 2 / 4) / 2)
    assert found.f1 == pytest.approx((6 / 7 + 4 / 7) / 2)
    assert quality({}).f1 is None


standings = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(0, 3)).map(
        lambda t: (t[0], t[0] + t[1], t[2])
    ),
    min_size=2,
    max_size=4,
).map(lambda rows: [Standing(str(n), *row) for n, row in enumerate(rows)])


@given(standings)
def test_the_winner_is_decided_exactly_when_no_outcome_can_change_it(pairs: list[Standing]) -> None:
    outcomes = product(*(range(pair.correct, pair.correct + pair.left + 1) for pair in pairs))
    winners = {_winner(outcome) for outcome in outcomes}

    evidence = weigh(pairs)

    is_over = not any(pair.left for pair in pairs)
    assert evidence.is_decided == (is_over or (len(winners) == 1 and None not in winners))
    if evidence.is_decided:
        winner = winners.pop()
        assert evidence.leader == (None if winner is None else pairs[winner].name)
    assert 0 <= evidence.value <= 1


def _winner(outcome: tuple[int, ...]) -> int | None:
    best = max(outcome)
    return outcome.index(best) if outcome.count(best) == 1 else None


def test_the_same_lead_weighs_more_when_less_is_left() -> None:
    early = weigh([Standing("a", 9, 10, 40), Standing("b", 6, 10, 40)])
    late = weigh([Standing("a", 9, 10, 5), Standing("b", 6, 10, 5)])

    assert 0.5 < early.value < late.value < 1
    assert early.leader == late.leader == "a"


def test_with_one_pair_there_is_nothing_to_decide_before_the_end() -> None:
    assert weigh([Standing("a", 3, 5, 5)]).value == 0.5
    assert not weigh([Standing("a", 3, 5, 5)]).is_decided
    assert weigh([Standing("a", 3, 10, 0)]).is_decided
