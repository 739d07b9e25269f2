"""The tables at the end say what the tests said."""

from __future__ import annotations

from tests.chaos.summary import drawn


def test_a_table_has_a_column_for_every_name_and_is_sorted() -> None:
    rows = [{"proof": "G3", "lost": 0}, {"proof": "G10", "doubled": 1}]

    lines = drawn(rows)

    assert [line.split() for line in lines] == [["proof", "lost", "doubled"], ["G10", "1"], ["G3", "0"]]
    assert len({len(line) for line in lines}) == 1
