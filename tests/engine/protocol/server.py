"""The real engine, scheduler and store, driven one step at a time.

A step is a pure function here: the log before it, and what a server had seen when
it decided, give the log after it. Logs that differ in nothing that the protocol
looks at are one log, so every step is computed once.
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, NamedTuple, TypeVar, cast

from pydantic_core import from_json

from pilothouse.contracts import Appended, Frame, NewRun
from pilothouse.engine.control import Wish
from pilothouse.engine.engine import Engine
from pilothouse.engine.hosts import Attempt, Host
from pilothouse.engine.scheduler import Scheduler
from pilothouse.engine.timer import Timer
from pilothouse.errors import Changed, Conflict, LeaseLost
from pilothouse.model import event as e
from pilothouse.model.run import Run, Status
from pilothouse.questions import RunPage, RunQuery
from pilothouse.stores import memory
from pilothouse.stores.memory import MemoryStore
from pilothouse.web.context import Context
from pilothouse.web.link import control_state
from tests.engine.parts import KIND

T = TypeVar("T")
RUN_ID = "bench_1"
PAST, LATE = "2020-01-01T00:00:00.000Z", "2999-01-01T00:00:00.000Z"
View = tuple[str, str | None, str | None]


class Look(Exception):
    """A server wants to look at the run once more; that is a step of its own."""


class Silence:
    """A bus that rings nowhere."""

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def ring(self, run_id: str) -> None: ...

    def subscribe(self, listener: object) -> Any:
        return lambda: None


class Replay(MemoryStore):
    """The memory store, for a server that has seen these states and whose first appends came too late."""

    def __init__(self, log: memory._Log, looks: Sequence[Run], late: int = 0) -> None:
        super().__init__(now=lambda: 0.0)
        self._logs[RUN_ID] = memory._Log(log.entry, [], dict(log.shelf))
        self._looks = list(looks)
        self._late = late

    @property
    def log(self) -> memory._Log:
        return self._logs[RUN_ID]

    async def get(self, run_id: str) -> Run:
        if not self._looks:
            raise Look
        return self._looks.pop(0)

    async def list(self, query: RunQuery) -> RunPage:
        run = await self.get(RUN_ID)
        is_asked = run.status in query.statuses and query.host in (None, run.host)
        return RunPage((run,) if is_asked else (), 1, None)

    async def waiting(self, kinds: Sequence[str], limit: int) -> Sequence[Run]:
        run = self._looks.pop(0) if self._looks else None  # who claims looks again only once it was too late
        return [run] if run and run.status is Status.QUEUED else []

    async def read(self, run_id: str, *_: Any, **more: Any) -> Sequence[Frame]:
        run = self.log.entry.run  # of the log itself only what began the attempt is asked for
        body = e.RunStarted(attempt=max(run.attempt, 1), host=run.host, instance="")
        return [Frame(2, body.type, e.Event(run_id, 2, run.created_at, body).frame())]

    async def expired(self) -> Sequence[Run]:
        return [await self.get(RUN_ID)]

    async def append(self, run_id: str, bodies: Sequence[e.Body], **more: Any) -> Appended:
        more["lapsed"] = False  # who is reaped here was found silent, and its heartbeat does not come
        if self._late:
            self._late -= 1
            raise Changed("the run has moved on")
        return await super().append(run_id, bodies, **more)


def drive(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits."""
    try:
        work.send(None)
    except StopIteration as end:
        return cast(T, end.value)
    raise AssertionError("it waits")


class Told(NamedTuple):
    """An event as the log has it."""

    type: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """What a call came to.

    Attributes:
        log: The log after it.
        told: The events it wrote.
        outcome: `done`, `look` (it wants to look again), `refused`, `fenced`.
        is_turned: The run has another version after it.
    """

    log: int
    told: tuple[Told, ...]
    outcome: str
    is_turned: bool = False


@dataclass
class Server:
    """All logs and runs that were met, and what every call makes of them."""

    logs: list[memory._Log] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    _log_ids: dict[Any, int] = field(default_factory=dict)
    _run_ids: dict[Any, int] = field(default_factory=dict)
    _steps: dict[Any, Step] = field(default_factory=dict)
    _views: dict[tuple[int, int], View | None] = field(default_factory=dict)
    _ends: dict[tuple[int, int], bool] = field(default_factory=dict)
    _seen: dict[int, int] = field(default_factory=dict)
    _aged: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    _finished: dict[int, frozenset[str]] = field(default_factory=dict)

    @property
    def calls(self) -> int:
        """How many different calls were made."""
        return len(self._steps)

    def create(self) -> int:
        """The log of a new run."""
        store = MemoryStore()
        drive(store.create(NewRun(RUN_ID, KIND.name, "n", "ada", {})))
        return self._keep(store._logs[RUN_ID])

    def run(self, log: int) -> Run:
        """The run of a log."""
        return self.logs[log].entry.run

    def seen(self, log: int) -> int:
        """What somebody sees who looks now: the run without its items."""
        if log not in self._seen:
            self._seen[log] = self._see(self.run(log))
        return self._seen[log]

    def aged(self, first: int, last: int) -> tuple[int, int]:
        """What somebody saw, once the run has another version: only the order of versions counts."""
        if (first, last) not in self._aged:
            old, new = self.runs[first], self.runs[last]
            age = -1 if old.turned == new.turned else -2
            then = self._see(old.changed({"turned": age})), self._see(new.changed({"turned": -1}))
            self._aged[first, last] = then
        return self._aged[first, last]

    def _see(self, run: Run) -> int:
        return _numbered(self._run_ids, self.runs, _run_key(run), run)

    def finished(self, log: int) -> frozenset[str]:
        """The keys that an assignment names as finished."""
        if log not in self._finished:
            self._finished[log] = frozenset(drive(Replay(self.logs[log], ()).finished_keys(RUN_ID)))
        return self._finished[log]

    def has_lease(self, log: int) -> bool:
        """Whether somebody's lease is kept."""
        return self.logs[log].entry.lease_until is not None

    def view(self, log: int, attempt: int) -> View | None:
        """What a job of an attempt is told; None: it is fenced."""
        place = (log, attempt)
        if place not in self._views:
            run = self.run(log)
            told = control_state(cast(Context, SimpleNamespace(kinds={})), run)
            is_current = run.attempt == attempt
            self._views[place] = (told["status"], told["pending"], told["strength"]) if is_current else None
        return self._views[place]

    def must_end(self, log: int, attempt: int) -> bool:
        """Whether a host is told to end an attempt."""
        place = (log, attempt)
        if place not in self._ends:
            store = Replay(self.logs[log], [self.run(log)])
            told = drive(_scheduler(store)._must_end(Attempt(RUN_ID, attempt)))
            self._ends[place] = told is not None
        return self._ends[place]

    # Calls: each is one append, decided on what was seen

    def say(self, log: int, attempt: int, body: e.Body) -> Step:
        """A job says something."""

        async def call(store: Replay) -> None:
            number = store.log.entry.acked.get("job", 0) + 1
            answer = await _engine(store).append_as(RUN_ID, attempt, number, [body], 15.0)
            if answer.refused:
                raise Conflict("refused")

        return self._step(("say", log, attempt, body.model_dump_json()), log, (), call)

    def control(self, log: int, wish: Wish, seen: int) -> Step:
        """A user's control, decided on what was seen."""
        return self._step(
            ("control", log, wish, seen), log, (seen,), lambda store: _engine(store).control(RUN_ID, wish)
        )

    def ended(self, log: int, attempt: int, is_leaving: bool, first: int, last: int) -> Step:
        """A host tells that a process is gone."""

        async def call(store: Replay) -> None:
            scheduler = _scheduler(store)
            if is_leaving:
                scheduler.leave("A")
            await scheduler.ended("A", Attempt(RUN_ID, attempt), exit_code=1, signal=None, tail="")

        return self._lose(("ended", attempt, is_leaving), log, first, last, call)

    def reap(self, log: int, first: int, last: int) -> Step:
        """The reaper settles what it found expired."""

        async def call(store: Replay) -> None:
            await _scheduler(store).reap()

        return self._lose(("reap",), log, first, last, call)

    def orphans(self, log: int, host: str, first: int, last: int) -> Step:
        """A host that was restarted asks for work, and knows of none."""
        return self._lose(
            ("orphans", host),
            log,
            first,
            last,
            lambda store: _scheduler(store)._settle_orphans(Host(host), set()),
        )

    def claim(self, log: int, host: str, seen: int) -> Step:
        """A host claims a run that it has seen waiting."""
        return self._step(
            ("claim", log, host, seen),
            log,
            (seen,),
            lambda store: _scheduler(store)._orders(Host(host), 1, 0),
        )

    def tick(self, log: int, first: int, last: int) -> Step:
        """The timer looks at a pause, then resumes or releases it."""
        return self._step(
            ("tick", log, first, last), log, (first, last), lambda store: Timer(_engine(store), 0.0).look()
        )

    def _lose(self, name: tuple[Any, ...], log: int, first: int, last: int, call: Any) -> Step:
        looks = (first,) if first == last else (first, last)
        return self._step((*name, log, looks), log, looks, call, late=len(looks) - 1)

    def _step(self, place: Any, log: int, looks: tuple[int, ...], call: Any, late: int = 0) -> Step:
        known = self._steps.get(place)
        if known is None:
            store = Replay(self.logs[log], [self.runs[seen] for seen in looks], late)
            outcome = _outcome(call(store))
            told = tuple(Told(*_parts(frame.data)) for frame in store.log.frames)
            is_turned = store.log.entry.run.turned != self.run(log).turned
            known = Step(self._keep(store.log) if told else log, told, outcome, is_turned)
            self._steps[place] = known
        return known

    def _keep(self, log: memory._Log) -> int:
        """Number a log; where it stands by `seq` is left out, and its present version is version 0."""
        log.entry = replace(log.entry, run=log.entry.run.changed({"turned": 0, "head": 1}))
        items = tuple(sorted((item.key, item.state) for item in log.shelf.values()))
        key = (_run_key(log.entry.run), items, log.entry.lease_until is not None)
        return _numbered(self._log_ids, self.logs, key, log)


def _outcome(work: Coroutine[Any, Any, Any]) -> str:
    try:
        drive(work)
    except Look:
        return "look"
    except LeaseLost:
        return "fenced"
    except Conflict:
        return "refused"
    return "done"


def _parts(frame: bytes) -> tuple[str, dict[str, Any]]:
    event = from_json(frame)
    return event["type"], event["data"]


def _run_key(run: Run) -> Any:
    """All that the protocol looks at."""
    asked = run.request
    request = asked and (asked.control, asked.strength, asked.force, asked.until)
    return run.status, request, run.attempt, run.crashes, run.strength, run.until, run.host, run.turned


def _numbered(known: dict[Any, int], kept: list[T], key: Any, value: T) -> int:
    if key not in known:
        known[key] = len(kept)
        kept.append(value)
    return known[key]


def _engine(store: Replay) -> Engine:
    return Engine(store, Silence(), {KIND.name: KIND})


def _scheduler(store: Replay) -> Scheduler:
    return Scheduler(_engine(store))
