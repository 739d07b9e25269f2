"""The host's calls: it asks for runs to start, and tells how they ended."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, FiniteFloat

from pilothouse import clock, failpoint
from pilothouse.engine.history import MAX_HOURS
from pilothouse.engine.hosts import Attempt
from pilothouse.engine.resources import Sample
from pilothouse.errors import NotFound
from pilothouse.transports.sse import disconnected
from pilothouse.web.context import Ctx, TheRun
from pilothouse.web.link import MAX_NUMBER
from pilothouse.web.runs import Body, answer

router = APIRouter(prefix="/api")

Instance = Annotated[str, Query(max_length=64)]


class AttemptIn(Body):
    """One attempt that lives on the host."""

    run_id: str
    attempt: int = Field(ge=1, le=MAX_NUMBER)


class LivingIn(AttemptIn):
    """An attempt that lives, and its processor use: 1.0 is one core, None is not known yet."""

    cpu: float | None = Field(default=None, ge=0, le=100_000)


class GpuIn(Body):
    """A GPU of the host's machine."""

    index: int = Field(ge=0, le=1024)
    name: str = Field(max_length=200)
    memory_bytes: int | None = Field(default=None, ge=0, le=MAX_NUMBER)


class FactsIn(Body):
    """What the host's machine has."""

    cores: int = Field(ge=1, le=65536)
    memory_bytes: int = Field(ge=0, le=MAX_NUMBER)
    gpus: list[GpuIn] = Field(default_factory=list, max_length=64)


class MachineIn(Body):
    """What the host's machine has, and what of it is in use now."""

    facts: FactsIn
    values: dict[Annotated[str, Field(max_length=64)], FiniteFloat] = Field(max_length=512)


class ClaimBody(Body):
    """What the host has room for, what it runs, and how busy its machine is since it told so last."""

    slots: int = Field(ge=0, le=1024)
    running: list[LivingIn] = Field(default_factory=list, max_length=1024)
    wait: float = Field(default=0, ge=0, le=25)
    machine: MachineIn | None = None


class EndedBody(AttemptIn):
    """How an attempt's process ended; `cut_off` when it left because no server answered."""

    exit_code: int | None = None
    signal: int | None = None
    cut_off: bool = False
    tail: str = Field(default="", max_length=65536)


class OverdueBody(AttemptIn):
    """How many processes will not die."""

    survivors: int = Field(ge=1, le=MAX_NUMBER)


class StackBody(AttemptIn):
    """What the job wrote, or in words why it wrote nothing."""

    text: str = Field(max_length=64_000)


@router.post("/hosts/{name:path}/claim")
async def claim(
    name: str, body: ClaimBody, context: Ctx, request: Request, instance: Instance = ""
) -> Response:
    """Runs to start and attempts to end; waits while there is neither."""
    loads = {Attempt(each.run_id, each.attempt): each.cpu for each in body.running}
    if body.machine is not None:
        sample = Sample(clock.now(), time.monotonic(), body.machine.values)
        host = context.scheduler.hosts.meet(name, instance)
        host.resources.note(body.machine.facts.model_dump(), sample)
    claim = context.scheduler.claim(name, body.slots, tuple(loads), body.wait, loads, instance)
    claiming = asyncio.create_task(claim)
    leaving = asyncio.create_task(disconnected(request.receive))
    try:
        await asyncio.wait({claiming, leaving}, return_when=asyncio.FIRST_COMPLETED)
        orders, stops = claiming.result() if claiming.done() else ([], [])
    finally:
        claiming.cancel()  # a host that has gone takes nothing
        leaving.cancel()
        await asyncio.gather(claiming, leaving, return_exceptions=True)
    return answer(
        {
            "orders": [
                {
                    "run_id": run.id,
                    "attempt": run.attempt,
                    "kind": run.kind,
                    "entry": context.kinds[run.kind].entry,
                    "folder": str(context.folder(run.id)),
                }
                for run in orders
            ],
            "stop": [
                {"run_id": stop.attempt.run_id, "attempt": stop.attempt.number, "force": stop.force}
                for stop in stops
            ],
            "dump": [] if claiming.cancelled() else context.scheduler.take_dumps(name, instance),
        }
    )


@router.post("/hosts/{name:path}/leave", status_code=204)
async def leave(name: str, context: Ctx, instance: Instance = "") -> Response:
    """The host stops; the attempts that end now have not crashed."""
    context.scheduler.leave(name, instance)
    return Response(status_code=204)


@router.post("/hosts/{name:path}/ended")
async def ended(name: str, body: EndedBody, context: Ctx, instance: Instance = "") -> Response:
    """Record that a process is gone."""
    attempt = Attempt(body.run_id, body.attempt)
    how = body.model_dump(exclude={"run_id", "attempt"})
    run = await context.scheduler.ended(name, attempt, **how, instance=instance)
    failpoint.reach("web.ended.answer")
    return answer({"status": run.status})


@router.post("/hosts/{name:path}/overdue")
async def overdue(name: str, body: OverdueBody, context: Ctx) -> Response:
    """Record that processes of a cancelled run outlive a SIGKILL; the host goes on trying."""
    run = await context.scheduler.overdue(Attempt(body.run_id, body.attempt), body.survivors)
    return answer({"status": run.status, "survivors": run.survivors})


@router.post("/hosts/{name:path}/stack", status_code=204)
async def take_stack(name: str, body: StackBody, context: Ctx, instance: Instance = "") -> Response:
    """The stack of a job, for the log of its run."""
    await context.scheduler.take_stack(name, Attempt(body.run_id, body.attempt), body.text, instance)
    return Response(status_code=204)


@router.post("/runs/{run}/stack", status_code=202)
async def ask_stack(run: TheRun, context: Ctx) -> Response:
    """Ask the run's host for the Python stack of its job; it comes as a `log` event of source `stack`."""
    context.scheduler.ask_stack(run)
    return answer({"run_id": run.id, "after": run.head}, 202)


@router.get("/hosts")
async def list_hosts(context: Ctx) -> Response:
    """The hosts that this server has heard of, with their slots and runs."""
    now = time.monotonic()
    return answer(
        {
            "hosts": [
                {
                    "name": host.name,
                    "free": host.slots,
                    "running": [
                        {"run_id": each.run_id, "attempt": each.number, "cpu": host.loads.get(each)}
                        for each in host.running
                    ],
                    "seen_seconds_ago": round(now - host.seen, 1),
                    "alive": not host.is_silent(now),
                }
                for host in context.scheduler.hosts
            ]
        }
    )


@router.get("/hosts/{name:path}/resources")
async def list_resources(
    name: str, context: Ctx, hours: Annotated[int, Query(ge=1, le=MAX_HOURS)] = 1
) -> Response:
    """What a host's machine has, and how busy it was during the last hours, as far as any server has heard."""
    facts, loads = await context.history.of(name, hours)
    if not facts and context.scheduler.hosts.named(name) is None:
        raise NotFound(f"No host is called {name[:80]!r}.", hint="List the hosts first.")
    return answer({"name": name, "facts": facts, "samples": [asdict(load) for load in loads]})


@router.get("/machines")
async def list_machines(context: Ctx) -> Response:
    """The machines of all hosts of the last week, those that are gone included."""
    return answer({"machines": [asdict(machine) for machine in await context.history.machines()]})
