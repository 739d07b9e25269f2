"""What this server remembers of the hosts between their calls: enough to serve them, never a truth about a run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from pilothouse.engine.resources import Resources
from pilothouse.model.run import Run

SILENT_SECONDS = 30.0
FORGOTTEN_SECONDS = 3_600.0  # as long as what its machine was busy with is in memory
DUMP_AGAIN_SECONDS = 5.0  # longer than a job that answers at all takes


@dataclass(frozen=True, slots=True)
class Attempt:
    """One execution of one run, as a host knows it."""

    run_id: str
    number: int


@dataclass(frozen=True, slots=True)
class Stop:
    """An attempt that a host must end; `force` skips the gentle steps."""

    attempt: Attempt
    force: bool


@dataclass(slots=True)
class Host:
    """A host, as its last calls show it.

    Attributes:
        name: What its runs call it; several may have the same.
        instance: Tells those apart; the same before and after a restart.
        slots: Room for further runs.
        running: Attempts that live there.
        expected: Attempts that must live there: it named them when it called last, or was given them since.
        searched: When all runs were searched for attempts that it lost, in monotonic seconds; None: not yet.
        resources: What its machine was busy with.
        loads: Processor use of each, 1.0 for one core; None when it is not known.
        vouched: When it last prolonged the lease of an attempt.
        told: When it was told to end an attempt, by force or not.
        dumps: Runs whose stack is wanted, and when it was told; None: not yet.
        seen: When it called last, in monotonic seconds.
        turn: Counts its claims; only the newest is served.
        is_leaving: It stops, and what ends there now has not crashed.
        forerunners: Instances of its name that were gone when it came.
        bell: Wakes the claim that waits.
    """

    name: str
    instance: str = ""
    slots: int = 0
    running: tuple[Attempt, ...] = ()
    loads: dict[Attempt, float | None] = field(default_factory=dict)
    expected: set[Attempt] = field(default_factory=set)
    searched: float | None = None
    resources: Resources = field(default_factory=Resources)
    vouched: dict[Attempt, float] = field(default_factory=dict)
    told: dict[tuple[Attempt, bool], float] = field(default_factory=dict)
    dumps: dict[str, float | None] = field(default_factory=dict)
    seen: float = field(default_factory=time.monotonic)
    turn: int = 0
    is_leaving: bool = False
    forerunners: frozenset[str] = frozenset()
    bell: asyncio.Event | None = None

    def runs(self, run: Run) -> bool:
        """Whether the run's attempt lived here at the last call."""
        return Attempt(run.id, run.attempt) in self.running

    def is_silent(self, now: float) -> bool:
        """Whether it has not called for so long that it counts as gone."""
        return self.is_leaving or now - self.seen > SILENT_SECONDS

    def forget_gone(self) -> None:
        """Drop what is kept of attempts that do not live here any more."""
        alive = {attempt.run_id for attempt in self.running}
        self.told = {told: when for told, when in self.told.items() if told[0] in self.running}
        self.dumps = {run_id: when for run_id, when in self.dumps.items() if run_id in alive}

    def want_dump(self, run_id: str) -> None:
        """Note that a stack is wanted, and wake the claim that waits."""
        self.dumps[run_id] = None
        if self.bell:
            self.bell.set()

    def due_dumps(self, now: float) -> list[str]:
        """The runs whose stack is wanted and of which the host was not told lately: an answer may be lost."""
        return sorted(
            run_id for run_id, told in self.dumps.items() if told is None or now - told >= DUMP_AGAIN_SECONDS
        )

    def take_dumps(self) -> list[str]:
        """The same; the host is told now."""
        now = time.monotonic()
        due = self.due_dumps(now)
        self.dumps |= dict.fromkeys(due, now)
        return due


class Hosts:
    """The hosts that this server has heard of."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Host] = {}

    def __iter__(self) -> Iterator[Host]:
        return iter(self._known.values())

    def __len__(self) -> int:
        return len(self._known)

    def find(self, name: str, instance: str = "") -> Host | None:
        """The host; None when it has not been heard of."""
        return self._known.get((name, instance))

    def meet(self, name: str, instance: str = "") -> Host:
        """The host, which calls now.

        One that is new takes the place of those of its name that went silent, and of all that have
        been for long: where machines come and go, each with a name of its own, they would pile up.
        """
        host = self.find(name, instance)
        if host is None:
            now = time.monotonic()
            for other in [each for each in self if now - each.seen > FORGOTTEN_SECONDS]:
                del self._known[other.name, other.instance]
            gone = [each for each in self if each.name == name and each.is_silent(now)]
            for other in gone:
                del self._known[other.name, other.instance]
            known = frozenset(each for other in gone for each in (other.instance, *other.forerunners))
            host = self._known[name, instance] = Host(name, instance, forerunners=known)
        return host

    def named(self, name: str) -> Host | None:
        """The host of this name that called last."""
        return max((host for host in self if host.name == name), key=lambda host: host.seen, default=None)

    def of(self, run: Run) -> Host | None:
        """The host of the run's attempt: of several with its name that which has it, else the last to call."""
        namesakes = [host for host in self if host.name == run.host]
        return max(namesakes, key=lambda host: (host.runs(run), host.seen), default=None)

    def is_staffed(self) -> bool:
        """True while some host asks for runs."""
        now = time.monotonic()
        return any(not host.is_silent(now) for host in self)

    def calling(self, run: Run) -> Host | None:
        """The host of the run's attempt; None when this server has not heard of it for a while."""
        host = self.of(run)
        return None if host is None or host.is_silent(time.monotonic()) else host

    def silence_of(self, run: Run) -> float | None:
        """Seconds since the run's host was last heard of; None while it is there, or unknown here."""
        now = time.monotonic()
        host = self.of(run)
        return now - host.seen if host and host.is_silent(now) else None

    def cpu_of(self, run: Run) -> float | None:
        """Processor use of the run's attempt over the last seconds, 1.0 for one core; None when not known."""
        host = self.calling(run)
        return host.loads.get(Attempt(run.id, run.attempt)) if host else None
