"""A store against the simplest model of it: for every run, the list of bodies that were admitted.

Hypothesis makes up what users, hosts and jobs send, in any order, with lost answers,
older attempts and other servers in between; after every step the store's log must be
the list, and all else what folding the list gives.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
from pydantic_core import from_json

from pilothouse.contracts import Appended, NewRun, Store
from pilothouse.errors import Changed, Conflict, InvalidTransition, LeaseLost, PilothouseError
from pilothouse.model import event as e
from pilothouse.model.fold import fold
from pilothouse.model.run import Run
from pilothouse.questions import ItemQuery, Reuse, RunQuery
from pilothouse.testing.samples import a_run
from tests.engine.test_fold_properties import BODIES, KEYS

T = TypeVar("T")
JOB_BODIES = BODIES.filter(lambda body: not isinstance(body, e.RunStarted))
RESULTS = st.builds(e.ItemFinished, key=KEYS, ok=st.booleans(), seconds=st.floats(0, 9))
SAID = st.one_of(RESULTS, st.builds(e.ItemStarted, key=KEYS, ask=st.booleans()), JOB_BODIES)
WRITERS = st.sampled_from(["job", "log-1", "host"])
PLACES = st.integers(0, 99)
Reopen = Callable[[Store], Awaitable[Store]]


@dataclass
class Harness:
    """The stores under test: several servers on one database, or one.

    Attributes:
        reopen: Closes a store and opens it again; None where closing forgets.
    """

    stores: list[Store]
    loop: asyncio.AbstractEventLoop
    reopen: Reopen | None = None
    examples: int = 0

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for a call."""
        return self.loop.run_until_complete(work)


@dataclass
class Sent:
    """A batch as its writer sent it."""

    bodies: list[e.Body]
    attempt: int | None = None
    client_seq: int | None = None
    lenient: bool = False
    expected: str | None = None
    writer: str = "job"

    def to(self, store: Store, run_id: str) -> Coroutine[Any, Any, Appended]:
        """Send it."""
        options = {name: value for name, value in vars(self).items() if name != "bodies"}
        return store.append(run_id, self.bodies, **options)


@dataclass
class Told:
    """What must come of a batch: its new bodies, who is refused, the highest number known."""

    bodies: list[e.Body] = field(default_factory=list)
    refused: set[int] = field(default_factory=set)
    acked: int = 0


@dataclass
class Log:
    """The model of one run."""

    run: Run
    bodies: list[e.Body]
    acked: dict[str, int] = field(default_factory=dict)
    last: Sent | None = None
    is_lapsed: bool = False

    def finished(self) -> set[str]:
        """Keys that have a result."""
        return {body.key for body in self.bodies if isinstance(body, e.ItemFinished)}

    def results(self) -> list[e.ItemFinished]:
        """The latest result of each key, as another run begins with it."""
        latest: dict[str, e.ItemFinished] = {}
        for body in self.bodies:
            if isinstance(body, e.ItemFinished):
                latest.pop(body.key, None)
                latest[body.key] = body
        unsaid = {"reused": True, "possible_duplicate": False, "group": None}
        return [body.model_copy(update=unsaid) for body in latest.values()]

    def foresee(self, sent: Sent) -> tuple[Told, Run]:
        """What an append must come to.

        Raises:
            LeaseLost, Changed, InvalidTransition: What it must be refused with.
        """
        told = Told(acked=self.acked.get(sent.writer, 0))
        known = 0
        if sent.client_seq is not None and sent.attempt == self.run.attempt:
            known = max(0, min(told.acked - sent.client_seq + 1, len(sent.bodies)))
        if known == len(sent.bodies):
            return told, self.run
        is_owner = sent.attempt is None or sent.attempt == self.run.attempt
        if not is_owner or (sent.attempt is not None and self.run.status.is_terminal):
            raise LeaseLost("fenced")
        if sent.expected not in (None, self.run.version):
            raise Changed("changed")
        return self._admit(sent, known, told)

    def _admit(self, sent: Sent, known: int, told: Told) -> tuple[Told, Run]:
        run, finished = self.run, self.finished()
        for index, body in enumerate(sent.bodies[known:], known):
            number = None if sent.client_seq is None else sent.client_seq + index
            try:
                if sent.lenient and isinstance(body, e.ItemFinished) and body.key in finished:
                    raise InvalidTransition("twice")
                run = fold(run, e.Event(run.id, run.head + 1, "2026-01-31T09:00:00.000Z", body))
                told.bodies.append(body)
                if sent.lenient and isinstance(body, e.ItemFinished):
                    finished.add(body.key)
            except InvalidTransition:
                if not sent.lenient:
                    raise
                told.refused.add(number or index + 1)
            told.acked = told.acked if number is None else max(told.acked, number)
        return told, run

    def take(self, sent: Sent, told: Told, run: Run) -> None:
        """Believe an append."""
        if told.bodies and any(isinstance(body, e.RunStarted) for body in told.bodies):
            self.acked, self.is_lapsed = {}, False
        elif told.acked:
            self.acked[sent.writer] = told.acked
        self.run = run
        self.bodies += told.bodies
        self.last = sent
        self.is_lapsed = self.is_lapsed and run.is_active


class StoreMachine(RuleBasedStateMachine):
    """Does whatever comes to Hypothesis' mind, to a store and to the model."""

    harness: Harness

    def __init__(self) -> None:
        super().__init__()
        self.harness.examples += 1
        self.owner = f"owner-{self.harness.examples}-{id(self)}"
        self.logs: dict[str, Log] = {}
        self.keys: dict[str, str] = {}

    # What users do

    @rule(key=st.none() | st.sampled_from(["k1", "k2"]), place=PLACES, at=st.none() | PLACES)
    def create(self, key: str | None, place: int, at: int | None) -> None:
        """A run is made, perhaps with the key of one that there is, or with the results of one."""
        old = None if at is None or not self.logs else self._log(at).run.id
        reuse = Reuse(old, ("done", "failed")) if old else None
        new = a_run(owner=self.owner, idempotency_key=key, reuse=reuse)
        run, is_new = self._do(place, lambda store: store.create(new))
        known = self.keys.get(key) if key else None
        assert is_new is (known is None)
        if known is not None:
            assert run == self._do(place, lambda store: store.get(known))
            return
        self._begin(new, run)
        if key:
            self.keys[key] = run.id

    def _begin(self, new: NewRun, run: Run) -> None:
        queued = e.RunQueued(
            number=run.number, kind=new.kind, name=new.name, owner=new.owner, epoch=run.epoch
        )
        reused = self.logs[new.reuse.run_id].results() if new.reuse else []
        self.logs[run.id] = Log(run, [queued, *reused])
        self._check(run.id)

    @precondition(lambda self: self.logs)
    @rule(
        at=PLACES,
        place=PLACES,
        bodies=st.lists(BODIES, min_size=1, max_size=3),
        old=st.sampled_from([None, 0, 1]),
    )
    def append(self, at: int, place: int, bodies: list[e.Body], old: int | None) -> None:
        """The server or a user appends, perhaps decided on a version that is gone."""
        log = self._log(at)
        expected = None if old is None else (log.run.version if old == 0 else f"{log.run.version}0")
        self._append(place, log, Sent(bodies, expected=expected))

    @precondition(lambda self: self.logs)
    @rule(at=PLACES, place=PLACES)
    def claim(self, at: int, place: int) -> None:
        """A host claims a run."""
        log = self._log(at)
        self._append(place, log, Sent([e.RunStarted(attempt=log.run.attempt + 1)]))

    @precondition(lambda self: self.logs)
    @rule(at=PLACES, place=PLACES)
    def delete(self, at: int, place: int) -> None:
        """A run is removed."""
        log = self._log(at)
        if not log.run.status.is_terminal:
            self._refused(Conflict, place, lambda store: store.delete(log.run.id))
            return
        self._do(place, lambda store: store.delete(log.run.id))
        del self.logs[log.run.id]
        self.keys = {key: run_id for key, run_id in self.keys.items() if run_id != log.run.id}

    # What jobs do

    @precondition(lambda self: self.logs)
    @rule(
        at=PLACES,
        place=PLACES,
        bodies=st.lists(SAID, min_size=1, max_size=4),
        writer=WRITERS,
        shift=st.sampled_from([1, 1, 1, 0, -1, 3]),
        age=st.sampled_from([0, 0, 0, 1]),
        lenient=st.sampled_from([True, True, False]),
    )
    def say(
        self, at: int, place: int, bodies: list[e.Body], writer: str, shift: int, age: int, lenient: bool
    ) -> None:
        """An attempt appends: the next numbers, some that overlap, some after a hole; or an older attempt."""
        log = self._log(at)
        attempt = max(1, log.run.attempt - age)
        client_seq = max(1, log.acked.get(writer, 0) + shift)
        self._append(place, log, Sent(bodies, attempt, client_seq, lenient, writer=writer))

    @precondition(lambda self: any(log.last for log in self.logs.values()))
    @rule(at=PLACES, place=PLACES)
    def repeat(self, at: int, place: int) -> None:
        """The answer to a batch was lost: it is sent once more."""
        log = self._log(at)
        if log.last is not None and log.last.client_seq is not None:
            self._append(place, log, log.last)

    @precondition(lambda self: self.logs)
    @rule(at=PLACES, place=PLACES, age=st.sampled_from([0, 0, 1]), seconds=st.sampled_from([60.0, -60.0]))
    def renew(self, at: int, place: int, age: int, seconds: float) -> None:
        """A heartbeat, of this attempt or of an older one; a negative one lets the lease run out."""
        log = self._log(at)
        attempt = log.run.attempt - age
        if age or log.run.status.is_terminal:
            self._refused(LeaseLost, place, lambda store: store.renew(log.run.id, attempt, seconds))
            return
        self._do(place, lambda store: store.renew(log.run.id, attempt, seconds))
        log.is_lapsed = log.run.is_active and seconds < 0

    @precondition(lambda self: any(log.run.is_active for log in self.logs.values()))
    @rule(at=PLACES, place=PLACES)
    def lose(self, at: int, place: int) -> None:
        """A lease runs out, and the reaper settles the attempt."""
        active = [log for log in self.logs.values() if log.run.is_active]
        log = active[at % len(active)]
        run = self._do(place, lambda store: store.renew(log.run.id, log.run.attempt, -60.0))
        log.is_lapsed = True
        self._check(log.run.id, place)
        settled = e.RunInterrupted(reason="the job stopped answering")
        self._append(place, log, Sent([settled], run.attempt, expected=run.version))

    # What happens to servers

    @precondition(lambda self: self.harness.reopen)
    @rule(place=PLACES)
    def reopen(self, place: int) -> None:
        """A server is stopped and started. Where it is the only one, every lease begins anew."""
        harness = self.harness
        assert harness.reopen is not None
        index = place % len(harness.stores)

        async def again() -> Store:
            assert harness.reopen is not None
            return await harness.reopen(harness.stores[index])

        harness.stores[index] = harness.do(again())
        if len(harness.stores) == 1:
            for log in self.logs.values():
                log.is_lapsed = False

    def teardown(self) -> None:
        """Everything is still there, by every server."""
        for run_id in self.logs:
            for place in range(len(self.harness.stores)):
                self._check(run_id, place)
        self._check_list()

    # Both at once

    def _append(self, place: int, log: Log, sent: Sent) -> None:
        try:
            told, run = log.foresee(sent)
        except PilothouseError as error:
            self._refused(type(error), place, lambda store: sent.to(store, log.run.id))
        else:
            answer = self._do(place, lambda store: sent.to(store, log.run.id))
            log.take(sent, told, run)
            assert [_body_of(frame.data) for frame in answer.frames] == told.bodies
            assert (answer.acked, set(answer.refused)) == (log.acked.get(sent.writer, 0), told.refused)
            assert answer.run.version == run.version
        self._check(log.run.id, place + 1)

    def _check(self, run_id: str, place: int = 0) -> None:
        """The log is the list; the run and its items are what folding the log gives."""
        log = self.logs[run_id]
        frames = self._do(place, lambda store: store.read(run_id, 0, 10_000))
        run = self._do(place, lambda store: store.get(run_id))
        assert [frame.seq for frame in frames] == list(range(1, len(log.bodies) + 1))
        assert [_body_of(frame.data) for frame in frames[1:]] == log.bodies[1:]
        folded: Run | None = None
        for frame in frames:
            event = from_json(frame.data)
            body = e.parse_body(event["type"], event["data"])
            folded = fold(folded, e.Event(run_id, event["seq"], event["time"], body))
        assert run == folded
        assert (run.version, run.head) == (log.run.version, len(log.bodies))
        self._check_items(run_id, log, place)

    def _check_items(self, run_id: str, log: Log, place: int) -> None:
        page = self._do(place, lambda store: store.items(run_id, ItemQuery()))
        assert {(item.key, item.state, item.starts) for item in page.items} == items_of(log.bodies)
        assert set(self._do(place, lambda store: store.finished_keys(run_id))) == log.finished()
        lapsed = {run.id for run in self._do(place, lambda store: store.expired())}
        assert (run_id in lapsed) is log.is_lapsed

    def _check_list(self) -> None:
        page = self._do(0, lambda store: store.list(RunQuery(owner=self.owner, limit=1000)))
        assert [run.id for run in page.runs] == list(reversed(self.logs))

    def _log(self, at: int) -> Log:
        return list(self.logs.values())[at % len(self.logs)]

    def _do(self, place: int, call: Callable[[Store], Coroutine[Any, Any, T]]) -> T:
        stores: Sequence[Store] = self.harness.stores
        return self.harness.do(call(stores[place % len(stores)]))

    def _refused(
        self, error: type[PilothouseError], place: int, call: Callable[[Store], Coroutine[Any, Any, Any]]
    ) -> None:
        try:
            self._do(place, call)
        except error:
            return
        raise AssertionError(f"it is not refused as {error.__name__}")


def _body_of(frame: bytes) -> e.Body:
    event = from_json(frame)
    return e.parse_body(event["type"], event["data"])


def items_of(bodies: Sequence[e.Body]) -> set[tuple[str, str, int]]:
    """Key, state and number of starts of every item."""
    found: dict[str, tuple[str, int]] = {}
    for body in bodies:
        if isinstance(body, e.ItemStarted):
            state, starts = found.get(body.key, ("in_flight", 0))
            found[body.key] = (state, starts + 1)
        elif isinstance(body, e.ItemFinished):
            found[body.key] = ("done" if body.ok else "failed", found.get(body.key, ("", 0))[1])
    return {(key, state, starts) for key, (state, starts) in found.items()}
