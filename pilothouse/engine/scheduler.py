"""Gives queued runs to hosts, and picks up what dead attempts left behind.

A claim is nothing but the append of `run.started`: of two claimers exactly
one is admitted by the fold. A host is told of each attempt it must end, and
told again while that attempt lives: the first answer may be lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Mapping, Set
from dataclasses import replace

from pydantic_core import from_json

from pilothouse import failpoint
from pilothouse.contracts import FIRST_LEASE_SECONDS
from pilothouse.engine.afterlife import Ending, afterlife
from pilothouse.engine.backoff import Backoff
from pilothouse.engine.engine import Engine
from pilothouse.engine.hosts import Attempt, Host, Hosts, Stop
from pilothouse.errors import (
    Changed,
    Conflict,
    LeaseLost,
    NotFound,
    NotRunning,
    Unavailable,
)
from pilothouse.model import event as e
from pilothouse.model.run import Control, Run, Status
from pilothouse.questions import ItemQuery

LOOK_REST_SECONDS = 0.02
TELL_AGAIN_SECONDS = 1.0  # a cancel ends within 10 s, and the steps of the host take 8 of them
VOUCHES_PER_LEASE = 3
IN_FLIGHT_TOLD = 100


class Scheduler:
    """Claims for hosts, and the afterlife of attempts."""

    def __init__(
        self,
        engine: Engine,
        tell_again_seconds: float = TELL_AGAIN_SECONDS,
        lease_seconds: float = FIRST_LEASE_SECONDS,
    ) -> None:
        self._engine = engine
        self._tell_again_seconds = tell_again_seconds
        self._lease_seconds = lease_seconds
        self._backoff = Backoff()
        self.hosts = Hosts()

    async def claim(
        self,
        name: str,
        slots: int,
        running: tuple[Attempt, ...],
        wait: float,
        loads: Mapping[Attempt, float | None] | None = None,
        instance: str = "",
    ) -> tuple[list[Run], list[Stop]]:
        """Runs for a host to start, and attempts for it to end.

        A host knows what it runs: attempts that were given to it and that it does
        not name are gone (it was restarted, or never heard of them), and are settled.
        Only the newest call of a host counts, so that the last call of a host that
        died takes nothing.

        Args:
            name: The host.
            slots: Runs it has room for.
            running: Attempts that live there.
            wait: Seconds to wait while there is neither, and no stack to ask for (`take_dumps`).
            loads: Processor use of each attempt, as far as the host knows it.
            instance: Which of several hosts of this name.
        """
        host = self.hosts.meet(name, instance)
        host.slots, host.running, host.loads = slots, running, dict(loads or {})
        host.turn = turn = host.turn + 1
        host.is_leaving = False
        lost = host.expected - set(running)
        host.expected = set(running)
        deadline = time.monotonic() + wait
        await self._settle_orphans(host, lost)
        await self._vouch(host)
        with self._engine.doorbell.listen() as ear:
            host.bell = ear
            while True:
                ear.clear()
                if host.turn != turn:
                    return [], []
                host.seen = time.monotonic()
                stops = await self._stops(host)
                orders, soonest = await self._orders(host, slots, turn)
                left = deadline - time.monotonic()
                has_dumps = bool(host.due_dumps(host.seen))
                if orders or stops or has_dumps or left <= 0 or self._engine.doorbell.closed:
                    return orders, stops
                again = self._tell_again_seconds if host.told or host.dumps else math.inf
                try:
                    await asyncio.wait_for(ear.wait(), min(left, soonest, again))
                except TimeoutError:
                    continue
                await asyncio.sleep(min(LOOK_REST_SECONDS, left))  # every event of every run rings

    def leave(self, name: str, instance: str = "") -> None:
        """A host stops: it takes no more orders, and that its attempts end now is not their doing."""
        host = self.hosts.meet(name, instance)
        host.turn += 1
        host.is_leaving = True

    async def ended(
        self,
        host: str,
        attempt: Attempt,
        *,
        exit_code: int | None,
        signal: int | None,
        tail: str,
        cut_off: bool = False,
        instance: str = "",
    ) -> Run:
        """Record that a process is gone. If its attempt said its last word, there is nothing to do.

        Args:
            host: Who tells it, by name.
            attempt: What the process worked for.
            exit_code, signal, tail: How it ended; neither code nor signal when it never began.
            cut_off: It left because no server answered, which is no crash.
            instance: Which of several hosts of this name.
        """
        run = await self._engine.store.get(attempt.run_id)
        if run.attempt != attempt.number or not run.is_active:
            return run
        failpoint.reach("engine.ended.before")
        died = f"signal {signal}" if signal else f"exit code {exit_code}"
        if signal is None and exit_code is None:
            died = "its process could not be started"
        ending = Ending(died, exit_code=exit_code, signal=signal, tail=tail)
        if cut_off:
            ending = Ending("the job was cut off from the server for too long", is_crash=False)
        teller = self.hosts.find(host, instance)
        if teller and teller.is_leaving:
            ending = Ending("the host was stopped", is_crash=False)
        return await self.lose(run, ending)

    async def lose(self, run: Run, ending: Ending, *, lapsed: bool = False) -> Run:
        """Settle a run whose attempt is gone: cancelled, paused, queued again, or failed at last.

        Decided on the run as it is at the moment of the append, so a control that is
        accepted meanwhile is never lost.

        Args:
            run: The run.
            ending: How its attempt ended.
            lapsed: Only if its lease has run out: a heartbeat may be on its way.
        """
        attempt, version = run.attempt, ""
        while run.attempt == attempt and run.is_active and run.version != version:
            version = run.version
            kind = self._engine.kinds.get(run.kind)
            held = replace(ending, in_flight=await self._in_flight(run))
            limit, backoff = (kind.max_attempts, kind.backoff_seconds) if kind else (None, 0.0)
            bodies = afterlife(run, held, limit, backoff)
            failpoint.reach("engine.lose.before")
            try:
                appended = await self._engine.append(
                    run.id, *bodies, attempt=attempt, expected=version, lapsed=lapsed
                )
            except (Changed, LeaseLost):
                run = await self._engine.store.get(run.id)
            else:
                failpoint.reach("engine.lose.after")
                return appended.run
        return run

    async def _in_flight(self, run: Run) -> tuple[str, ...]:
        """Keys of the items that the attempt had in hand, oldest first."""
        query = ItemQuery(limit=IN_FLIGHT_TOLD, states=("in_flight",))
        page = await self._engine.store.items(run.id, query)
        return tuple(item.key for item in reversed(page.items))

    async def reap(self) -> list[Run]:
        """Settle every run whose lease has run out."""
        silent = Ending("the job stopped answering", is_confirmed=False)
        expired = [run for run in await self._engine.store.expired() if not self._is_dying(run)]
        settled = [await self.lose(run, silent, lapsed=True) for run in expired]
        return [run for run, before in zip(settled, expired, strict=True) if run.version != before.version]

    def _is_dying(self, run: Run) -> bool:
        """A cancelled run whose host still sees processes of it: the host tells when they are gone."""
        host = self.hosts.calling(run)
        return run.pending is Control.CANCEL and host is not None and host.runs(run)

    # What only the host knows

    def ask_stack(self, run: Run) -> None:
        """Have the run's host ask the job for its stack.

        Raises:
            NotRunning: No process works for the run.
            Unavailable: Its host does not call this server.
        """
        if not run.is_active:
            raise NotRunning(f"Run {run.id} is {run.status}; no process works for it.", status=run.status)
        host = self.hosts.calling(run)
        if host is None or not host.runs(run):
            raise Unavailable(f"The host of {run.id} has not called lately.", hint="Try again in a moment.")
        host.want_dump(run.id)

    def take_dumps(self, name: str, instance: str = "") -> list[str]:
        """Runs of a host whose stack is wanted; each is told again until the stack has come."""
        host = self.hosts.find(name, instance)
        return host.take_dumps() if host else []

    async def take_stack(self, name: str, attempt: Attempt, text: str, instance: str = "") -> Run:
        """Record the stack of a job, as its host tells it. An older attempt's says nothing any more.

        Raises:
            NotFound, LeaseLost: There is no such attempt.
        """
        if host := self.hosts.find(name, instance):
            host.dumps.pop(attempt.run_id, None)
        stack = e.Log(level="info", source="stack", text=text)
        return (await self._engine.append(attempt.run_id, stack, attempt=attempt.number)).run

    async def overdue(self, attempt: Attempt, survivors: int) -> Run:
        """Record that processes of a cancelled run outlive a SIGKILL; a number that is known is not told again."""
        run = await self._engine.store.get(attempt.run_id)
        is_cancelling = run.attempt == attempt.number and run.pending is Control.CANCEL
        if not is_cancelling or run.survivors == survivors:
            return run
        overdue = e.RunCancelOverdue(survivors=survivors)
        return (await self._engine.append(run.id, overdue, attempt=attempt.number)).run

    async def _vouch(self, host: Host) -> None:
        """Prolong the leases of attempts whose processes the host sees at work.

        Foreign code may keep a job's own heartbeat from running for longer than a
        lease lasts. A process that is stopped is not at work, and its lease runs out.
        """
        now = time.monotonic()
        working = [attempt for attempt, load in host.loads.items() if load is not None]
        host.vouched = {each: when for each, when in host.vouched.items() if each in host.running}
        for attempt in working:
            if now - host.vouched.get(attempt, -math.inf) < self._lease_seconds / VOUCHES_PER_LEASE:
                continue
            with contextlib.suppress(Conflict, NotFound):
                await self._engine.store.renew(attempt.run_id, attempt.number, self._lease_seconds)
            host.vouched[attempt] = now

    async def _settle_orphans(self, host: Host, lost: Set[Attempt]) -> None:
        """Settle attempts that were given to this host and do not live there.

        Those of others of its name are their own business, also of such as have not called this
        server since it started: their leases tell when they are gone. What this server does not
        know of, such as what another one gave to the host, is searched for now and then.

        Args:
            host: The host.
            lost: What it named before, or was given, and does not name any more.
        """
        now = time.monotonic()
        if host.searched is None or now - host.searched >= self._lease_seconds:
            runs = await self._engine.all_with((Status.RUNNING, Status.PAUSED), host.name)
            host.searched = now
        else:
            runs = [run for attempt in lost if (run := await self._alive(attempt))]
        for run in runs:
            if not run.is_active or host.runs(run):
                continue
            if await self._owner(run) in (host.instance, *host.forerunners):
                await self.lose(run, Ending("the host was restarted"))

    async def _alive(self, attempt: Attempt) -> Run | None:
        """The run of an attempt that is its latest, and is alive."""
        try:
            run = await self._engine.store.get(attempt.run_id)
        except NotFound:
            return None
        return run if run.attempt == attempt.number and run.is_active else None

    async def _owner(self, run: Run) -> str | None:
        """Which of the hosts of its name has the run's attempt; None where the log does not say."""
        started = await self._engine.store.read(run.id, 0, 1, ("run.started",), newest=True)
        instance: str | None = from_json(started[0].data)["data"].get("instance") if started else None
        return instance

    async def _orders(self, host: Host, slots: int, turn: int) -> tuple[list[Run], float]:
        """Claim runs for a host; also the seconds until a run that still waits may be claimed."""
        orders: list[Run] = []
        tried: set[str] = set()
        soonest: float | None = None
        while len(orders) < slots and host.turn == turn:
            room = slots - len(orders)
            waiting = await self._engine.store.waiting(list(self._engine.kinds), room + len(tried))
            ready, soonest = self._backoff.ready(waiting)
            fresh = [run for run in ready if run.id not in tried and not run.attached][:room]
            if not fresh:
                break
            for run in fresh:
                tried.add(run.id)
                attempt = Attempt(run.id, run.attempt + 1)
                host.expected.add(attempt)  # before the append: whoever calls next may have lost the answer
                started = e.RunStarted(attempt=attempt.number, host=host.name, instance=host.instance)
                try:
                    failpoint.reach("engine.claim.before")
                    orders.append((await self._engine.append(run.id, started)).run)
                    failpoint.reach("engine.claim.after")
                except (Conflict, NotFound):
                    host.expected.discard(attempt)  # another host was faster
        return orders, math.inf if soonest is None else soonest

    async def _stops(self, host: Host) -> list[Stop]:
        """Attempts there that must end and of which the host was not told lately."""
        stops = []
        host.forget_gone()
        for attempt in host.running:
            force = await self._must_end(attempt)
            if force is None:
                continue
            told = host.told.get((attempt, force))
            if told is None or host.seen - told >= self._tell_again_seconds:
                host.told[(attempt, force)] = host.seen
                stops.append(Stop(attempt, force))
        return stops

    async def _must_end(self, attempt: Attempt) -> bool | None:
        """None: let it live; else whether to end it by force."""
        try:
            run = await self._engine.store.get(attempt.run_id)
        except NotFound:
            return True
        if run.attempt != attempt.number:
            return True
        if not run.is_active:  # it has ended, or left during a pause: its process has no more to do
            return False
        if run.pending is Control.CANCEL and run.request:
            return run.request.force
        return None
