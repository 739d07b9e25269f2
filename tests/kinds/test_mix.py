"""Samples come out in proportion, and what fails again and again is left alone for a while."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pilothouse.kinds.generation.circuit import FAILURES, SECONDS, Circuits
from pilothouse.kinds.generation.mix import Cell, Mix


def even(*names: str) -> dict[str, float]:
    return dict.fromkeys(names, 1.0)


def take(mix: Mix, count: int) -> list[Cell]:
    cells = []
    for _ in range(count):
        cell = mix.next()
        assert cell
        mix.add(cell)
        cells.append(cell)
    return cells


@given(st.integers(1, 42), st.integers(1, 5), st.integers(1, 16), st.integers(1, 200))
def test_every_part_is_even_at_every_moment(topics: int, difficulties: int, types: int, count: int) -> None:
    parts = [
        [f"{part}{n}" for n in range(size)]
        for part, size in zip("tdk", (topics, difficulties, types), strict=True)
    ]

    cells = take(Mix(*(even(*names) for names in parts)), count)

    for names, part in zip(parts, ("topic", "difficulty", "type"), strict=True):
        counts = Counter(getattr(cell, part) for cell in cells)
        assert max(counts.values()) - min(counts[name] for name in names) <= 1


def test_pairs_are_spread_where_the_sizes_would_make_them_march_in_step() -> None:
    names = tuple("abcde")

    cells = take(Mix(even(*names), even(*names), {}), 25)

    assert len({(cell.topic, cell.difficulty) for cell in cells}) >= 18  # in step they would be 5


def test_weights_are_kept() -> None:
    cells = take(Mix({}, {"easy": 1, "medium": 2, "hard": 1}, {}), 40)

    assert Counter(cell.difficulty for cell in cells) == {"easy": 10, "medium": 20, "hard": 10}


def test_a_sample_that_was_not_kept_is_made_up_for() -> None:
    mix = Mix(even("a", "b"), {}, {})
    first, _ = take(mix, 2)

    mix.add(first, -1)

    assert mix.next() == first


def test_a_closed_topic_is_passed_over() -> None:
    mix = Mix(even("a", "b"), even("x"), {})

    assert mix.next(lambda topic: topic == "b") == Cell("b", "x")
    assert mix.next(lambda topic: False) is None
    assert Mix({}, {}, {}).next() == Cell()
    assert Mix({}, {}, {}).next(lambda topic: False) is None


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_circuit_opens_after_three_failures_in_a_row_for_300_seconds() -> None:
    clock = Clock()
    circuits = Circuits(clock=clock)

    opened = [circuits.failed("tort") for _ in range(3)]
    clock.now += 299
    before = (circuits.is_open("tort"), circuits.is_open("tax"), circuits.wait_seconds())
    clock.now += 1

    assert (FAILURES, SECONDS) == (3, 300)
    assert opened == [False, False, True]
    assert before == (True, False, 1.0)
    assert not circuits.is_open("tort")


def test_a_success_between_failures_keeps_it_closed() -> None:
    circuits = Circuits()

    circuits.failed("tort")
    circuits.failed("tort")
    circuits.worked("tort")

    assert [circuits.failed("tort"), circuits.failed("tort")] == [False, False]


def test_one_trial_decides_whether_it_closes() -> None:
    clock = Clock()
    circuits = Circuits(clock=clock)
    for _ in range(3):
        circuits.failed("tort")
    clock.now += 300

    circuits.begin("tort")
    others = circuits.is_open("tort")
    again = circuits.failed("tort")
    clock.now += 300
    circuits.begin("tort")
    circuits.worked("tort")

    assert (others, again) == (True, True)
    assert circuits.open_names() == []


def test_what_began_before_it_opened_does_not_prolong_it() -> None:
    clock = Clock()
    circuits = Circuits(clock=clock)
    for _ in range(3):
        circuits.failed("tort")
    clock.now += 200

    late = circuits.failed("tort")

    assert (late, circuits.wait_seconds()) == (False, 100.0)
