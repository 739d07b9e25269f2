"""The last hour of a host's machine."""

from __future__ import annotations

from itertools import pairwise

from pilothouse.engine.hosts import Hosts
from pilothouse.engine.resources import Resources, Sample

FACTS = {"cores": 2, "memory_bytes": 1_000, "gpus": []}


def sample(seen: float) -> Sample:
    """A look at some second."""
    return Sample("2026-01-31T09:30:00.000Z", seen, {"cpu_percent": seen})


def test_an_hour_is_kept_one_look_in_ten_seconds_and_always_the_newest() -> None:
    resources = Resources()

    for second in range(0, 9_001, 5):
        resources.note(FACTS, sample(float(second)))

    times = [one.seen for one in resources.samples]
    assert times[-1] == 9_000
    assert times[0] == 9_000 - 3_600
    assert len(times) <= 3_600 / 10 + 2
    assert all(later - earlier == 10 for earlier, later in pairwise(times[:-1]))


def test_a_host_that_was_silent_leaves_a_gap() -> None:
    resources = Resources()

    for second in (0.0, 10.0, 2_000.0):
        resources.note(FACTS, sample(second))

    assert [one.seen for one in resources.samples] == [0, 10, 2_000]


def test_of_several_hosts_with_one_name_the_last_to_call_is_meant() -> None:
    hosts = Hosts()
    for place, names in enumerate((("lab", "a"), ("lab", "b"), ("other", ""))):
        hosts.meet(*names).seen += place

    found = hosts.named("lab")

    assert found is not None and found.instance == "b"
    assert hosts.named("nobody") is None
