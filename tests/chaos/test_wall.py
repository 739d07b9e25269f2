"""The wall clock of the log does not jump."""

from __future__ import annotations

from pilothouse.clock import Clock, seconds_between

DAY = 24 * 3600


def test_a_wall_clock_that_is_set_moves_no_time_of_the_log() -> None:
    wall, steady = [1_000_000.0], [50.0]
    clock = Clock(lambda: wall[0], lambda: steady[0])
    before = clock.now()

    wall[0] += DAY
    steady[0] += 2.5
    after = clock.now()

    assert before == "1970-01-12T13:46:40.000Z"
    assert seconds_between(before, after) == 2.5
