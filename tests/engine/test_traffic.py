"""What goes out to watchers, as numbers."""

from __future__ import annotations

import pytest

from pilothouse.engine.traffic import BOUNDS, Traffic


@pytest.mark.rows("S4.96")
def test_a_minute_of_news_gives_a_rate_and_older_news_does_not_count() -> None:
    moment = [100.0]
    traffic = Traffic(lambda: moment[0])
    for second in range(200):
        moment[0] = 100.0 + second
        traffic.count(2, 3, 0.001)
        traffic.count(1, 3, 0.001)

    during, (moment[0]) = traffic.events_per_second, 500.0

    assert during == pytest.approx(3)
    assert traffic.events_per_second == 0
    assert (traffic.events, traffic.deliveries) == (600, 1800)


@pytest.mark.rows("S4.96")
def test_delays_are_counted_by_their_length_and_no_clock_makes_one_negative() -> None:
    traffic = Traffic()
    for seconds in (-3.0, 0.004, 0.005, 0.006, 0.3, 60.0):
        traffic.count(1, 1, seconds)

    assert dict(zip((*BOUNDS, None), traffic.delay_counts, strict=True)) == {
        **dict.fromkeys((*BOUNDS, None), 0),
        0.005: 3,
        0.01: 1,
        0.5: 1,
        None: 1,
    }
    assert traffic.delay_seconds == pytest.approx(60.315)
    assert (traffic.delay(0.5), traffic.delay(0.95)) == (0.006, 60.0)
    assert Traffic().delay(0.5) is None
