"""What machines were busy with outlives the server that heard of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pilothouse.engine.history import MAX_HOURS, POINTS, History, Load
from pilothouse.engine.hosts import Hosts
from pilothouse.engine.resources import Sample
from pilothouse.errors import Unavailable
from pilothouse.stores.memory import MemoryStore

pytestmark = pytest.mark.anyio
FACTS = {"cores": 2, "memory_bytes": 1_000, "gpus": []}


class Server:
    """The part of a server that hears of machines; the second hand is the test's."""

    def __init__(self, store: MemoryStore) -> None:
        self.seconds = 0.0
        self.hosts = Hosts()
        self.history = History(store, self.hosts, self.now)

    def now(self) -> str:
        """The time, as events tell it."""
        return datetime.fromtimestamp(self.seconds, UTC).isoformat()

    def hear(self, cpu_percent: float, name: str = "lab") -> None:
        """A claim that tells of the machine."""
        sample = Sample(self.now(), self.seconds, {"cpu_percent": cpu_percent})
        self.hosts.meet(name).resources.note(FACTS, sample)

    async def live(self, minutes: int) -> None:
        """Hear of a machine every 10 seconds, and look once a minute."""
        for _ in range(minutes):
            for _ in range(6):
                self.hear(self.seconds % 60)
                self.seconds += 10
            await self.history.look()


@pytest.mark.rows("S5.77")
async def test_what_a_machine_did_is_told_by_the_next_server_too() -> None:
    store, hours = MemoryStore(), 60
    first = Server(store)
    await first.live(hours)
    second = Server(store)
    second.seconds = first.seconds
    second.hear(90.0)

    facts, loads = await second.history.of("lab", 1)

    assert facts == FACTS
    assert loads[-1].values == {"cpu_percent": 90.0}
    assert [load.values for load in loads[:-1]] == [{"cpu_percent": 25.0}] * 60
    assert loads[0] == Load("1970-01-01T00:00:00.000Z", {"cpu_percent": 25.0})


async def test_a_host_that_is_gone_is_remembered_with_its_facts() -> None:
    store = MemoryStore()
    first = Server(store)
    await first.live(3)

    second = Server(store)
    second.seconds = first.seconds
    (machine,) = await second.history.machines()
    facts, _ = await second.history.of("lab", 1)

    assert (machine.name, machine.seen_at, machine.facts) == ("lab", "1970-01-01T00:02:00.000Z", FACTS)
    assert facts == FACTS
    assert await second.history.of("nobody", 1) == ({}, [])


async def test_a_week_is_kept_and_told_in_few_points() -> None:
    store = MemoryStore()
    server = Server(store)
    for _ in range(MAX_HOURS + 30):
        server.hear(50.0)
        server.seconds += 3_600
        await server.history.look()

    kept = await store.minutes("lab", 0)
    _, loads = await server.history.of("lab", MAX_HOURS)

    assert len(kept) == MAX_HOURS
    assert MAX_HOURS - 1 <= len(loads) <= POINTS


async def test_the_minute_that_goes_on_is_kept_at_the_last_look_only() -> None:
    store = MemoryStore()
    server = Server(store)
    server.hear(10.0)

    await server.history.look()
    before = await store.minutes("lab", 0)
    await server.history.look(is_last=True)

    assert before == []
    assert [one.values for one in await store.minutes("lab", 0)] == [{"cpu_percent": 10.0}]


async def test_what_could_not_be_kept_is_kept_at_the_next_look(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    server = Server(store)
    server.hear(10.0)
    server.seconds += 60

    async def away(*_: object) -> None:
        raise Unavailable("the disk is full")

    monkeypatch.setattr(store, "keep_minutes", away)
    with pytest.raises(Unavailable):
        await server.history.look()
    monkeypatch.undo()
    await server.history.look()

    assert len(await store.minutes("lab", 0)) == 1
