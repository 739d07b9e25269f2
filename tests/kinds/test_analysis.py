"""The numbers are right, and the evidence is exact."""

from __future__ import annotations

import math
import random
import sys
from collections import Counter
from collections.abc import Iterable
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.kinds.benchmark.analysis import Judged, Quality
from pilothouse.kinds.benchmark.evidence import Standing, weigh
from pilothouse.kinds.benchmark.ordered import PART, Ordered
from pilothouse.kinds.benchmark.tally import Tally
from pilothouse.kinds.benchmark.votes import Ballot


def ordered(values: Iterable[float]) -> Ordered:
    found = Ordered()
    for value in values:
        found.add(value)
    return found


def test_quantiles_are_values_that_occurred() -> None:
    assert ordered([1.0, 2.0, 3.0, 4.0]).quantile(0.5) == 2.0
    assert ordered(float(n) for n in range(100, 0, -1)).quantile(0.95) == 95.0
    assert ordered([]).quantile(0.5) is None


@pytest.mark.parametrize("seed", range(3))
def test_quantiles_of_many_values_are_those_of_the_sorted_list(seed: int) -> None:
    dice = random.Random(seed)
    values = [float(dice.randrange(10 ** (seed + 1))) for _ in range(3 * PART + 7)]

    found = ordered(values)

    values.sort()
    for share in (0.0, 0.01, 0.5, 0.95, 1.0):
        assert found.quantile(share) == values[max(0, math.ceil(share * len(values)) - 1)]


def judged(counts: dict[tuple[str, str | None], int]) -> Quality:
    found = Judged()
    for (truth, predicted), count in counts.items():
        found.add(truth, predicted, count)
    return found.quality


def test_precision_recall_and_f1_are_averaged_over_the_votes() -> None:
    found = judged({("A", "A"): 3, ("A", "B"): 1, ("B", "B"): 2, ("B", None): 2})

    assert found.precision == pytest.approx((3 / 3 + 2 / 3) / 2)
    assert found.recall == pytest.approx((3 / 4 + 2 / 4) / 2)
    assert found.f1 == pytest.approx((6 / 7 + 4 / 7) / 2)
    assert judged({}).f1 is None


def test_the_averages_come_out_the_same_however_many_tests_came_before() -> None:
    dice, votes = random.Random(7), [f"v{n}" for n in range(30)]
    tests = [(dice.choice(votes), dice.choice([*votes, None])) for _ in range(5000)]
    counts = dict(Counter(tests))

    one_by_one = Judged()
    for truth, predicted in tests:
        one_by_one.add(truth, predicted)

    for name in ("precision", "recall", "f1"):
        assert getattr(one_by_one.quality, name) == pytest.approx(getattr(judged(counts), name), abs=1e-12)


def test_all_right_in_the_end_is_exactly_one() -> None:
    found = Judged()
    for number in range(1000):
        found.add(f"v{number % 7}", f"v{number % 7}")

    assert found.quality == Quality(1.0, 1.0, 1.0)


def test_a_test_takes_no_longer_to_count_however_many_votes_there_are() -> None:
    lines: Counter[int] = Counter()
    for votes in (10, 2000):
        tally = Tally(Ballot.of((f"v{n}", ()) for n in range(votes)), {("m", "p"): votes + 1})
        for number in range(votes):
            tally.add(
                ok=True, data={"model": "m", "prompt": "p", "expected": f"v{number}", "predicted": "v0"}
            )

        def count(frame: Any, event: str, argument: Any, votes: int = votes) -> Any:
            lines[votes] += event == "line"
            return count

        before = sys.gettrace()
        sys.settrace(count)
        tally.add(ok=True, data={"model": "m", "prompt": "p", "expected": "v1", "predicted": "v0"})
        tally.metrics()
        sys.settrace(before)

    assert lines[2000] <= lines[10] + 20


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
