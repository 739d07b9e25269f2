"""Gives queued runs to hosts, and picks up what dead attempts left behind.

A claim is nothing but the append of `run.started`: of two claimers exactly
one is admitted by the fold. A host is told once of each attempt it must end.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from pilothouse.contracts import RunQuery
from pilothouse.engine.engine import Engine
from pilothouse.errors import Conflict, NotFound
from pilothouse.model import event as e
from pilothouse.model.run import Control, Run, Status, Strength


@dataclass(frozen=True, slots=True)
class Attempt:
    """One execution of one run, as a host knows it."""

    run_id: str
    number: int


@dataclass(frozen=True, slots=True)
class Stop:
    """An attempt that a host must end; `force` skips the gentle steps."""

    run_id: str
    force: bool


@dataclass(slots=True)
class _Host:
    """What this server remembers of a host between its calls."""

    slots: int = 0
    running: tuple[Attempt, ...] = ()
    told: set[tuple[Attempt, bool]] = field(default_factory=set)
    seen: float = 0.0


class Scheduler:
    """Claims for hosts, and the afterlife of attempts."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.hosts: dict[str, _Host] = {}

    async def claim(
        self, name: str, slots: int, running: tuple[Attempt, ...], wait: float
    ) -> tuple[list[Run], list[Stop]]:
        """Runs for a host to start, and attempts for it to end.

        Args:
            name: The host.
            slots: Runs it has room for.
            running: Attempts that live there.
            wait: Seconds to wait while there is neither.
        """
        host = self.hosts.setdefault(name, _Host())
        host.slots, host.running = slots, running
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        with self._engine.doorbell.listen() as ear:
            while True:
                ear.clear()
                host.seen = loop.time()
                stops = await self._stops(host)
                orders = await self._orders(name, slots)
                left = deadline - loop.time()
                if orders or stops or left <= 0 or self._engine.doorbell.closed:
                    return orders, stops
                try:
                    await asyncio.wait_for(ear.wait(), left)
                except TimeoutError:
                    continue

    async def ended(self, attempt: Attempt, exit_code: int | None, signal: int | None, tail: str) -> Run:
        """Record that a process is gone. If its attempt said its last word, there is nothing to do."""
        run = await self._engine.store.get(attempt.run_id)
        if run.attempt != attempt.number or run.status.is_terminal or not _is_active(run):
            return run
        died = f"signal {signal}" if signal else f"exit code {exit_code}"
        failure = e.RunFailed(
            reason="worker_lost",
            message=f"The job ended without a last word ({died}), {run.attempt} times.",
            hint="The console's last lines are below; a system short of memory kills with signal 9.",
            exit_code=exit_code,
            signal=signal,
            tail=tail[-4000:] or None,
        )
        return await self.lose(run, died, failure)

    async def lose(self, run: Run, reason: str, failure: e.RunFailed) -> Run:
        """Settle a run whose attempt is gone: cancelled, paused, queued again, or failed at last."""
        bodies: list[e.Body] = []
        if run.pending is Control.CANCEL and run.request:
            bodies = [e.RunCancelled(by=run.request.actor)]
        elif run.status is Status.PAUSED or run.pending is Control.PAUSE:
            actor = run.paused_by or (run.request.actor if run.request else None)
            bodies = [
                e.RunInterrupted(reason=reason),
                e.RunPaused(strength=Strength.RELEASE, actor=actor, unclean=True),
            ]
        elif run.attempt < self._engine.kind(run.kind).max_attempts:
            bodies = [e.RunInterrupted(reason=reason)]
        else:
            bodies = [failure]
        try:
            return (await self._engine.append(run.id, *bodies)).run
        except (Conflict, NotFound):
            return await self._engine.store.get(run.id)

    async def reap(self) -> list[Run]:
        """Settle every run whose lease has run out."""
        settled = []
        for run in await self._engine.store.expired():
            failure = e.RunFailed(
                reason="worker_lost",
                message=f"The job stopped answering, {run.attempt} times.",
                hint="Look at the host's log, then retry the remaining items.",
            )
            settled.append(await self.lose(run, "the job stopped answering", failure))
        return settled

    async def _orders(self, host: str, slots: int) -> list[Run]:
        if slots <= 0:
            return []
        page = await self._engine.store.list(RunQuery(statuses=(Status.QUEUED,), limit=200))
        waiting = sorted(page.runs, key=lambda run: (-run.priority, run.number))
        orders: list[Run] = []
        for run in waiting:
            if run.kind not in self._engine.kinds:
                continue
            try:
                started = e.RunStarted(attempt=run.attempt + 1, host=host)
                orders.append((await self._engine.append(run.id, started)).run)
            except (Conflict, NotFound):
                continue  # another host was faster
            if len(orders) == slots:
                break
        return orders

    async def _stops(self, host: _Host) -> list[Stop]:
        """Attempts there that must end and of which the host was not told yet."""
        stops = []
        for attempt in host.running:
            force = await self._must_end(attempt)
            if force is not None and (attempt, force) not in host.told:
                host.told.add((attempt, force))
                stops.append(Stop(attempt.run_id, force))
        host.told = {told for told in host.told if told[0] in host.running}
        return stops

    async def _must_end(self, attempt: Attempt) -> bool | None:
        """None: let it live; else whether to end it by force."""
        try:
            run = await self._engine.store.get(attempt.run_id)
        except NotFound:
            return True
        if run.attempt != attempt.number:
            return True
        if run.status.is_terminal:
            return False
        if run.pending is Control.CANCEL and run.request:
            return run.request.force
        return None


def _is_active(run: Run) -> bool:
    return run.status is Status.RUNNING or (
        run.status is Status.PAUSED and run.strength is not Strength.RELEASE
    )
