"""What hosts' machines were busy with, kept in the store so that it outlives the server.

The last hour is in memory, one look in ten seconds. Each minute that is over goes to
the store as its mean and stays for a week: 10,080 rows a host, of about 150 bytes and
another 100 a GPU. A server that is killed loses the minute that was not over.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pilothouse import clock
from pilothouse.engine.hosts import Hosts
from pilothouse.machines import Machines, Minute

KEPT_DAYS = 7
MAX_HOURS = KEPT_DAYS * 24
POINTS = 360
_MINUTES = 60


@dataclass(frozen=True, slots=True)
class Load:
    """What a machine was busy with at, or from, a time."""

    time: str
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Machine:
    """A host's machine: when it was last heard of, and what does not change of it."""

    name: str
    seen_at: str
    facts: Mapping[str, Any]


class History:
    """Keeps minutes, and tells of them.

    Args:
        store: Where they are kept.
        hosts: Whose machines.
        now: The time, as events tell it.
    """

    def __init__(self, store: Machines, hosts: Hosts, now: Callable[[], str] = clock.now) -> None:
        self._store = store
        self._hosts = hosts
        self._now = now
        self._kept = -1  # the newest minute that is in the store

    async def look(self, *, is_last: bool = False) -> None:
        """Keep the minutes that are over since the last look; at the last one that which goes on, too.

        Raises:
            Unavailable: They cannot be kept now; the next look keeps them.
        """
        present = _minute_of(self._now())
        end = present + 1 if is_last else present
        if heard := self._heard(self._kept + 1, end):
            await self._store.keep_minutes(heard, present - MAX_HOURS * _MINUTES)
        self._kept = end - 1

    async def of(self, name: str, hours: int) -> tuple[Mapping[str, Any], Sequence[Load]]:
        """What a machine has, and how busy it was, oldest first; nothing of a host that nobody has heard of.

        Args:
            name: The host's.
            hours: How far back; for the last hour each look that is in memory, else about 360 means.
        """
        since = _minute_of(self._now()) - hours * _MINUTES
        host = self._hosts.named(name)
        samples = [Load(one.time, one.values) for one in host.resources.samples] if host else []
        kept = await self._store.minutes(name, since)
        begins = _minute_of(samples[0].time) if samples else math.inf
        older = [Load(_time_of(one.minute), one.values) for one in kept if one.minute < begins]
        facts = host.resources.facts if host and host.resources.facts else kept[-1].facts if kept else {}
        loads = [*older, *samples]
        return facts, loads if hours == 1 else _thinned(loads, max(1, math.ceil(hours * _MINUTES / POINTS)))

    async def machines(self) -> Sequence[Machine]:
        """All machines of the last days, by name."""
        known = {
            one.host: Machine(one.host, _time_of(one.minute), one.facts)
            for one in await self._store.last_minutes()
        }
        for host in self._hosts:
            if host.resources.samples:
                known[host.name] = Machine(host.name, host.resources.samples[-1].time, host.resources.facts)
        return [known[name] for name in sorted(known)]

    def _heard(self, begin: int, end: int) -> list[Minute]:
        """The minutes `begin` to `end - 1` of all hosts, as far as they are in memory."""
        looks: dict[tuple[str, int], list[Mapping[str, float]]] = {}
        facts: dict[str, Mapping[str, Any]] = {}
        for host in self._hosts:
            facts[host.name] = host.resources.facts
            for sample in host.resources.samples:
                minute = _minute_of(sample.time)
                if begin <= minute < end:
                    looks.setdefault((host.name, minute), []).append(sample.values)
        return [Minute(name, minute, facts[name], _mean(all_)) for (name, minute), all_ in looks.items()]


def _thinned(loads: Iterable[Load], width: int) -> list[Load]:
    """One mean for each stretch of so many minutes."""
    stretches: dict[int, list[Mapping[str, float]]] = {}
    for load in loads:
        stretches.setdefault(_minute_of(load.time) // width * width, []).append(load.values)
    return [Load(_time_of(minute), _mean(values)) for minute, values in sorted(stretches.items())]


def _mean(looks: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each figure over the looks that have it."""
    values: dict[str, list[float]] = {}
    for look in looks:
        for name, value in look.items():
            values.setdefault(name, []).append(value)
    return {name: round(sum(all_) / len(all_), 3) for name, all_ in values.items()}


def _minute_of(time: str) -> int:
    return int(datetime.fromisoformat(time).timestamp() // 60)


def _time_of(minute: int) -> str:
    return datetime.fromtimestamp(minute * 60, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
