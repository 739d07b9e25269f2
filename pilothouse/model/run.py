"""What a run is at one moment: the value that folding its log gives.

Frozen and plain. `Run.snapshot()` is the JSON that the API, the browser and the
golden files share; every key of it is documented in docs/reference/run.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """Where a run stands. Six, no more; a control that is not yet obeyed is `Run.pending`."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        """Terminal is terminal: no event leads out of it."""
        return self in TERMINAL


class Control(StrEnum):
    """What a user may ask of a run."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"


class Strength(StrEnum):
    """The two strengths of a pause: the process waits, or it saves, exits and frees its memory."""

    HOLD = "hold"
    RELEASE = "release"


TERMINAL = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED})
LIVE = frozenset(Status) - TERMINAL


@dataclass(frozen=True, slots=True)
class Group:
    """Items that take alike long, such as those of one model. `seconds` sums the finished ones."""

    total: int
    done: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Progress:
    """Items finished so far.

    Attributes:
        done: Finished items, the failed ones included.
        failed: Finished items that ended in an error.
        reused: Finished items whose results came from the run that this one retries.
        total: All items, None while unknown.
        marks: Some 40 pairs (done, active seconds), oldest first, from which the
            recent speed is read.
        groups: By name, where the job told its groups; else empty.
    """

    done: int = 0
    failed: int = 0
    reused: int = 0
    total: int | None = None
    marks: tuple[tuple[int, float], ...] = ()
    groups: dict[str, Group] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Phase:
    """A named stretch of a run: `index` of `of`, counted from 1."""

    name: str
    index: int | None = None
    of: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """The control that was asked for and is not yet obeyed, with who asked and when.

    `until`: when the pause that is asked for ends by itself.
    """

    control: Control
    actor: str
    time: str
    reason: str | None = None
    strength: Strength = Strength.HOLD
    force: bool = False
    until: str | None = None

    @classmethod
    def restore(cls, snapshot: Mapping[str, Any]) -> Request:
        """The request of a run's snapshot."""
        enums = {"control": Control(snapshot["control"]), "strength": Strength(snapshot["strength"])}
        return cls(**dict(snapshot) | enums)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run failed. `reason` is a code such as `crash`, `timeout`, `worker_lost`."""

    reason: str
    message: str
    hint: str | None = None
    where: str | None = None
    exit_code: int | None = None
    signal: int | None = None
    tail: str | None = None


@dataclass(frozen=True)
class Run:
    """One execution of one kind with one set of params.

    Attributes:
        number: Short integer, unique on one database (#42).
        head: The last `seq` of the log.
        epoch: Which life of the database the log belongs to.
        attempt: How often the run was started; also the write fence.
        crashes: How many of the attempts died.
        request: The control asked for and not yet obeyed; `pending` is its short form.
        strength: How a paused run waits; None unless paused.
        paused_by: The actor whose pause is in force.
        reason: Why it was paused or cancelled, in the words of whoever did it.
        until: When the pause ends by itself, as an ISO time; None: when somebody resumes it.
        wait_seconds: Back-off before the next attempt may begin, counted from `last_event_at`.
        turned: `seq` of the last event that changed the status, the pending control or `stuck`.
        moved: `seq` of the last item, phase, metric, progress or start of an attempt.
        stuck_cause: What the watchdog found when it called the run stuck.
        survivors: Processes that outlive a cancel; None unless it is overdue.
        attached: The process that made the run executes it; hosts leave it alone.
        current: Label of the item started last, while one is in hand.
        active_seconds: Seconds spent running, without pauses and waits, up to `active_since`.
        active_since: When the current stretch of running began; None while not running.
        metrics: The latest value of every metric; names beyond the first 1,000 are in the log only.
        notice: The last guard or warning in words, shown beside the status.
    """

    id: str
    number: int
    kind: str
    name: str
    owner: str
    params: dict[str, Any]
    created_at: str
    epoch: str
    tags: tuple[str, ...] = ()
    priority: int = 0
    retry_of: str | None = None
    status: Status = Status.QUEUED
    request: Request | None = None
    attempt: int = 0
    crashes: int = 0
    head: int = 0
    strength: Strength | None = None
    paused_by: str | None = None
    reason: str | None = None
    until: str | None = None
    wait_seconds: float = 0.0
    progress: Progress = field(default_factory=Progress)
    phase: Phase | None = None
    current: str | None = None
    metrics: dict[str, float | str | None] = field(default_factory=dict)
    started_at: str | None = None
    ended_at: str | None = None
    active_seconds: float = 0.0
    active_since: str | None = None
    last_event_at: str | None = None
    turned: int = 0
    moved: int = 0
    stuck: bool = False
    stuck_cause: str | None = None
    survivors: int | None = None
    ended_by: str | None = None
    failure: Failure | None = None
    notice: str | None = None
    host: str | None = None
    artifacts: int = 0
    attached: bool = False

    @property
    def pending(self) -> Control | None:
        """The control that was asked for and is not yet obeyed."""
        return self.request.control if self.request else None

    @property
    def is_active(self) -> bool:
        """True while an attempt is alive: the run is running, or a process holds its pause."""
        if self.status is Status.PAUSED:
            return self.strength is not Strength.RELEASE
        return self.status is Status.RUNNING

    @property
    def version(self) -> str:
        """What controls depend on, in a word: `<attempt>-<status>-<pending>-<turned>`.

        Such as `2-running-pause-41`. With `turned` no version ever comes back: a pause
        that was taken back and asked for again is another pause, with its own end.
        """
        return f"{self.attempt}-{self.status}-{self.pending or 'none'}-{self.turned}"

    def changed(self, changes: dict[str, Any]) -> Run:
        """A copy with some fields changed: `dataclasses.replace`, 15 times faster on this many fields."""
        run = object.__new__(Run)
        run.__dict__.update(self.__dict__)
        run.__dict__.update(changes)
        return run

    def snapshot(self) -> dict[str, Any]:
        """The whole run as JSON-ready data, with `pending` spelled out."""
        return {**asdict(self), "pending": self.pending}

    @classmethod
    def restore(cls, snapshot: Mapping[str, Any]) -> Run:
        """The run of a snapshot; `pending` and unknown keys are left out."""
        fields = {name: snapshot[name] for name in cls.__dataclass_fields__ if name in snapshot}
        progress = dict(snapshot["progress"])
        progress["marks"] = tuple((done, seconds) for done, seconds in progress["marks"])
        progress["groups"] = {name: Group(**group) for name, group in progress["groups"].items()}
        strength, phase, failure = (snapshot[name] for name in ("strength", "phase", "failure"))
        return cls(
            **fields
            | {
                "status": Status(snapshot["status"]),
                "strength": strength and Strength(strength),
                "tags": tuple(snapshot["tags"]),
                "progress": Progress(**progress),
                "phase": phase and Phase(**phase),
                "request": snapshot["request"] and Request.restore(snapshot["request"]),
                "failure": failure and Failure(**failure),
            }
        )

    def header(self) -> dict[str, Any]:
        """The snapshot without `params`: what lists and the fleet stream carry."""
        snapshot = self.snapshot()
        del snapshot["params"]
        return snapshot
