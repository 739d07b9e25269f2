"""The state that is explored: a log, the jobs, the servers at work, and what may still happen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from pilothouse.engine.control import Wish
from pilothouse.model.run import Control, Strength
from tests.engine.protocol.server import LATE, PAST, View
from tests.engine.protocol.witness import Seen

HOSTS = ("A", "B")


class Job(NamedTuple):
    """A process of an attempt.

    Attributes:
        phase: `starting`, `working`, `held` (it waits in a pause), `leaving` (it says no more),
            `dead` (its host has yet to tell).
        view: The newest it was told of the run; None: it is fenced.
        hand: The item in hand.
        known: Keys it need not do: finished before it began, or by itself.
        is_evicted: It ends because its host stops.
    """

    attempt: int
    host: str
    phase: str = "starting"
    view: View | None = None
    hand: str | None = None
    known: frozenset[str] = frozenset()
    is_evicted: bool = False

    @property
    def is_alive(self) -> bool:
        """Whether the process exists."""
        return self.phase != "dead"


class Work(NamedTuple):
    """A server between a look and an append.

    Attributes:
        name: What it does: a control's name, `claim:A`, `ended`, `reap`, `orphans:A`, `tick`.
        first: The run as it was when the work began.
        last: The run as it looked last.
        attempt: Of `ended`: whose end it is.
        is_evicted: Of `ended`: the host was stopped.
    """

    name: str
    first: int
    last: int
    attempt: int = 0
    is_evicted: bool = False


class Left(NamedTuple):
    """What may still happen, so often."""

    commands: int
    crashes: int
    lapses: int
    evictions: int
    failures: int
    limits: int


class World(NamedTuple):
    """All of it at one moment."""

    log: int
    jobs: tuple[Job, ...]
    works: tuple[Work, ...]
    left: Left
    seen: Seen

    def with_job(self, old: Job, new: Job | None) -> World:
        """The world in which a job is another, or gone."""
        jobs = tuple(job for job in self.jobs if job is not old)
        return self._replace(jobs=jobs if new is None else tuple(sorted((*jobs, new), key=_by_attempt)))

    def with_work(self, old: Work | None, new: Work | None) -> World:
        """The world in which a server's work goes on, begins or ends."""
        works = [work for work in self.works if work is not old]
        return self._replace(works=tuple(sorted([*works, new] if new else works)))

    def spend(self, what: str) -> World:
        """The world in which this may happen once less."""
        return self._replace(left=self.left._replace(**{what: getattr(self.left, what) - 1}))


def _by_attempt(job: Job) -> int:
    return job.attempt


def _pause(**more: object) -> Wish:
    return Wish(Control.PAUSE, "ada", **more)  # type: ignore[arg-type]


WISHES = {
    "pause": _pause(),
    "release": _pause(strength=Strength.RELEASE),
    "pause until then": _pause(until=PAST),
    "pause for long": _pause(until=LATE),
    "release for long": _pause(strength=Strength.RELEASE, until=LATE),
    "resume": Wish(Control.RESUME, "ada"),
    "cancel": Wish(Control.CANCEL, "ada"),
    "force": Wish(Control.CANCEL, "ada", force=True),
}


@dataclass(frozen=True)
class Bounds:
    """How much is explored.

    Attributes:
        wishes: Controls that users may ask for.
        commands: How many controls in all.
        crashes: Jobs that die, with or without somebody who tells.
        lapses: Leases that run out though the job lives.
        evictions: Hosts that are told to stop.
        failures: Jobs that fail by themselves.
        limits: Jobs that pause themselves.
        items: Keys to do.
        works: Servers at work at once.
        attempts: At most so many; what lies beyond is not explored.
        has_timer: Holds are released, and pauses end, by themselves.
    """

    wishes: tuple[str, ...] = ("pause", "release", "resume", "cancel", "force")
    commands: int = 2
    crashes: int = 1
    lapses: int = 0
    evictions: int = 0
    failures: int = 0
    limits: int = 0
    items: tuple[str, ...] = ("a",)
    works: int = 2
    attempts: int = 3
    has_timer: bool = False
    hosts: tuple[str, ...] = field(default=HOSTS)

    @property
    def left(self) -> Left:
        """At the beginning."""
        return Left(self.commands, self.crashes, self.lapses, self.evictions, self.failures, self.limits)
