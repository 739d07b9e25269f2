"""Gives queued runs to hosts, and picks up what dead attempts left behind.

A claim is nothing but the append of `run.started`: of two claimers exactly
one is admitted by the fold. A host is told of each attempt it must end, and
told again much later if that attempt still lives: the first answer may be lost.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from pilothouse import failpoint
from pilothouse.contracts import Frame, RunQuery
from pilothouse.engine.engine import Engine, Wish
from pilothouse.errors import Conflict, NotFound
from pilothouse.model import event as e
from pilothouse.model.run import Control, Run, Status, Strength

LOOK_REST_SECONDS = 0.02
TELL_AGAIN_SECONDS = 20.0
_PAGE = 200
_CONTROLS = ("control.requested", "control.withdrawn", "run.resumed")


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
    told: dict[tuple[Attempt, bool], float] = field(default_factory=dict)
    seen: float = 0.0
    turn: int = 0
    is_leaving: bool = False


class Scheduler:
    """Claims for hosts, and the afterlife of attempts."""

    def __init__(self, engine: Engine, tell_again_seconds: float = TELL_AGAIN_SECONDS) -> None:
        self._engine = engine
        self._tell_again_seconds = tell_again_seconds
        self.hosts: dict[str, _Host] = {}

    async def claim(
        self, name: str, slots: int, running: tuple[Attempt, ...], wait: float
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
            wait: Seconds to wait while there is neither.
        """
        host = self.hosts.setdefault(name, _Host())
        host.slots, host.running = slots, running
        host.turn = turn = host.turn + 1
        host.is_leaving = False
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        await self._settle_orphans(name, running)
        with self._engine.doorbell.listen() as ear:
            while True:
                ear.clear()
                if host.turn != turn:
                    return [], []
                host.seen = loop.time()
                stops = await self._stops(host)
                orders = await self._orders(name, slots)
                left = deadline - loop.time()
                if orders or stops or left <= 0 or self._engine.doorbell.closed:
                    return orders, stops
                try:
                    await asyncio.wait_for(ear.wait(), min(left, self._tell_again_seconds))
                except TimeoutError:
                    continue
                await asyncio.sleep(min(LOOK_REST_SECONDS, left))  # every event of every run rings

    def leave(self, name: str) -> None:
        """A host stops: it takes no more orders, and that its attempts end now is not their doing."""
        host = self.hosts.setdefault(name, _Host())
        host.turn += 1
        host.is_leaving = True

    async def ended(
        self, host: str, attempt: Attempt, *, exit_code: int | None, signal: int | None, tail: str
    ) -> Run:
        """Record that a process is gone. If its attempt said its last word, there is nothing to do."""
        run = await self._engine.store.get(attempt.run_id)
        if run.attempt != attempt.number or run.status.is_terminal or not _is_active(run):
            return run
        failpoint.reach("engine.ended.before")
        died = f"signal {signal}" if signal else f"exit code {exit_code}"
        failure = e.RunFailed(
            reason="worker_lost",
            message=f"The job ended without a last word ({died}), {run.crashes + 1} times.",
            hint="The console's last lines are below; a system short of memory kills with signal 9.",
            exit_code=exit_code,
            signal=signal,
            tail=tail[-4000:] or None,
        )
        if self.hosts.setdefault(host, _Host()).is_leaving:
            return await self.lose(run, "the host was stopped", None)
        return await self.lose(run, died, failure)

    async def lose(
        self, run: Run, reason: str, failure: e.RunFailed | None, *, is_silent: bool = False
    ) -> Run:
        """Settle a run whose attempt is gone: cancelled, paused, queued again, or failed at last.

        Without a `failure` the attempt did not crash, and the run never fails for it.
        `is_silent`: nobody has seen the process end; its lease ran out.
        A control that was accepted between the look at the run and this append is
        asked for once more, so that it survives.
        """
        try:
            appended = await self._engine.append(
                run.id, *self._afterlife(run, reason, failure, is_silent=is_silent), attempt=run.attempt
            )
            between = appended.frames[0].seq - 1 - run.head
            if not between or appended.run.status.is_terminal:
                return appended.run
            return await self._ask_again(
                appended.run, await self._engine.store.read(run.id, run.head, between, _CONTROLS)
            )
        except Conflict:
            return await self._engine.store.get(run.id)

    def _afterlife(
        self, run: Run, reason: str, failure: e.RunFailed | None, *, is_silent: bool
    ) -> list[e.Body]:
        interrupted = e.RunInterrupted(reason=reason, crash=failure is not None)
        if run.pending is Control.CANCEL and run.request:
            return [e.RunCancelled(by=run.request.actor, confirmed_dead=not is_silent)]
        if run.status is Status.PAUSED or run.pending is Control.PAUSE:
            actor = run.paused_by or (run.request.actor if run.request else None)
            return [
                interrupted,
                e.RunPaused(strength=Strength.RELEASE, actor=actor, unclean=True),
            ]
        kind = self._engine.kinds.get(run.kind)
        if failure is None or (kind is not None and run.crashes + 1 < kind.max_attempts):
            return [interrupted]
        return [failure]

    async def _ask_again(self, run: Run, frames: Sequence[Frame]) -> Run:
        """Repeat the last control of these, which met the end of the attempt."""
        if run.pending is Control.CANCEL and run.request:
            return (await self._engine.append(run.id, e.RunCancelled(by=run.request.actor))).run
        if not frames:
            return run
        event = json.loads(frames[-1].data)
        control = Control(event["data"].get("control", Control.RESUME))
        wish = Wish(control, event["data"]["actor"], event["data"].get("reason"))
        return (await self._engine.control(run.id, wish)).run

    async def reap(self) -> list[Run]:
        """Settle every run whose lease has run out."""
        settled = []
        for run in await self._engine.store.expired():
            failpoint.reach("engine.reap")
            settled.append(await self.lose(run, "the job stopped answering", _lost(run), is_silent=True))
        return settled

    async def _settle_orphans(self, host: str, running: tuple[Attempt, ...]) -> None:
        """Settle attempts that were given to this host and do not live there."""
        page = await self._engine.store.list(RunQuery(statuses=(Status.RUNNING, Status.PAUSED), limit=1000))
        for run in page.runs:
            if run.host == host and _is_active(run) and Attempt(run.id, run.attempt) not in running:
                await self.lose(run, "the host was restarted", _lost(run))

    async def _orders(self, host: str, slots: int) -> list[Run]:
        if slots <= 0:
            return []
        orders: list[Run] = []
        for run in sorted(await self._waiting(), key=lambda run: (-run.priority, run.number)):
            try:
                if run.pending is Control.CANCEL and run.request:
                    await self._engine.append(run.id, e.RunCancelled(by=run.request.actor))
                    continue
                started = e.RunStarted(attempt=run.attempt + 1, host=host)
                failpoint.reach("engine.claim.before")
                orders.append((await self._engine.append(run.id, started)).run)
                failpoint.reach("engine.claim.after")
            except (Conflict, NotFound):
                continue  # another host was faster
            if len(orders) == slots:
                break
        return orders

    async def _waiting(self) -> list[Run]:
        """All queued runs of the kinds there are."""
        waiting: list[Run] = []
        before: int | None = None
        while True:
            query = RunQuery(statuses=(Status.QUEUED,), limit=_PAGE, before=before)
            page = await self._engine.store.list(query)
            waiting += [run for run in page.runs if run.kind in self._engine.kinds]
            before = page.before
            if before is None:
                return waiting

    async def _stops(self, host: _Host) -> list[Stop]:
        """Attempts there that must end and of which the host was not told lately."""
        stops = []
        host.told = {told: when for told, when in host.told.items() if told[0] in host.running}
        for attempt in host.running:
            force = await self._must_end(attempt)
            if force is None:
                continue
            told = host.told.get((attempt, force))
            if told is None or host.seen - told >= self._tell_again_seconds:
                host.told[(attempt, force)] = host.seen
                stops.append(Stop(attempt.run_id, force))
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


def _lost(run: Run) -> e.RunFailed:
    return e.RunFailed(
        reason="worker_lost",
        message=f"The job stopped answering, {run.crashes + 1} times.",
        hint="Look at the host's log, then retry the remaining items.",
    )
