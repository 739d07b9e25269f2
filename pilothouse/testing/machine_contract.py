"""What every store promises of the machines of hosts. See `store_contract.py`."""
# ruff: noqa: D102 — the tests' names are sentences

from __future__ import annotations

from pilothouse.contracts import Store
from pilothouse.machines import Minute

FACTS = {"cores": 2, "memory_bytes": 8_000_000_000, "gpus": []}


def a_minute(minute: int, host: str = "lab", cpu_percent: float = 50.0) -> Minute:
    """A minute of a host with two cores."""
    return Minute(host, minute, FACTS, {"cpu_percent": cpu_percent})


class MachineContract:
    """Minutes of machines."""

    async def test_minutes_are_given_back_by_host_from_a_time_on(self, store: Store) -> None:
        await store.keep_minutes([a_minute(3), a_minute(1), a_minute(2), a_minute(2, "other")], 0)

        assert await store.minutes("lab", 2) == [a_minute(2), a_minute(3)]
        assert await store.minutes("nobody", 0) == []

    async def test_a_minute_that_is_kept_again_takes_the_place_of_the_first(self, store: Store) -> None:
        await store.keep_minutes([a_minute(1, cpu_percent=10.0)], 0)
        await store.keep_minutes([a_minute(1, cpu_percent=90.0)], 0)

        assert await store.minutes("lab", 0) == [a_minute(1, cpu_percent=90.0)]

    async def test_older_minutes_of_every_host_are_forgotten(self, store: Store) -> None:
        await store.keep_minutes([a_minute(1, "gone"), a_minute(1), a_minute(5)], 0)

        await store.keep_minutes([], 5)

        assert await store.minutes("gone", 0) == []
        assert await store.last_minutes() == [a_minute(5)]

    async def test_the_newest_minute_of_every_host_is_given_by_name(self, store: Store) -> None:
        await store.keep_minutes([a_minute(7), a_minute(9), a_minute(2, "a\x00b")], 0)

        newest = await store.last_minutes()

        assert [one.minute for one in newest] == [2, 9]
        assert [len(one.host) for one in newest] == [3, 3]
