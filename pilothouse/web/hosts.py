"""The host's calls: it asks for runs to start, and tells how they ended."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response
from pydantic import Field

from pilothouse import failpoint
from pilothouse.engine.hosts import Attempt
from pilothouse.web.context import Ctx, TheRun
from pilothouse.web.link import MAX_NUMBER, disconnected
from pilothouse.web.runs import Body, answer

router = APIRouter(prefix="/api")


class AttemptIn(Body):
    """One attempt that lives on the host."""

    run_id: str
    attempt: int = Field(ge=1, le=MAX_NUMBER)


class LivingIn(AttemptIn):
    """An attempt that lives, and its processor use: 1.0 is one core, None is not known yet."""

    cpu: float | None = Field(default=None, ge=0, le=100_000)


class ClaimBody(Body):
    """What the host has room for, and what it runs."""

    slots: int = Field(ge=0, le=1024)
    running: list[LivingIn] = Field(default_factory=list, max_length=1024)
    wait: float = Field(default=0, ge=0, le=25)


class EndedBody(AttemptIn):
    """How an attempt's process ended."""

    exit_code: int | None = None
    signal: int | None = None
    tail: str = Field(default="", max_length=65536)


class OverdueBody(AttemptIn):
    """How many processes will not die."""

    survivors: int = Field(ge=1, le=MAX_NUMBER)


class StackBody(AttemptIn):
    """What the job wrote, or in words why it wrote nothing."""

    text: str = Field(max_length=64_000)


@router.post("/hosts/{name}/claim")
async def claim(name: str, body: ClaimBody, context: Ctx, request: Request) -> Response:
    """Runs to start and attempts to end; waits while there is neither."""
    loads = {Attempt(each.run_id, each.attempt): each.cpu for each in body.running}
    claiming = asyncio.create_task(context.scheduler.claim(name, body.slots, tuple(loads), body.wait, loads))
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
            "dump": [] if claiming.cancelled() else context.scheduler.take_dumps(name),
        }
    )


@router.post("/hosts/{name}/leave", status_code=204)
async def leave(name: str, context: Ctx) -> Response:
    """The host stops; the attempts that end now have not crashed."""
    context.scheduler.leave(name)
    return Response(status_code=204)


@router.post("/hosts/{name}/ended")
async def ended(name: str, body: EndedBody, context: Ctx) -> Response:
    """Record that a process is gone."""
    attempt = Attempt(body.run_id, body.attempt)
    run = await context.scheduler.ended(
        name, attempt, exit_code=body.exit_code, signal=body.signal, tail=body.tail
    )
    failpoint.reach("web.ended.answer")
    return answer({"status": run.status})


@router.post("/hosts/{name}/overdue")
async def overdue(name: str, body: OverdueBody, context: Ctx) -> Response:
    """Record that processes of a cancelled run outlive a SIGKILL; the host goes on trying."""
    run = await context.scheduler.overdue(Attempt(body.run_id, body.attempt), body.survivors)
    return answer({"status": run.status, "survivors": run.survivors})


@router.post("/hosts/{name}/stack", status_code=204)
async def take_stack(name: str, body: StackBody, context: Ctx) -> Response:
    """The stack of a job, for the log of its run."""
    await context.scheduler.take_stack(Attempt(body.run_id, body.attempt), body.text)
    return Response(status_code=204)


@router.post("/runs/{run}/stack", status_code=202)
async def ask_stack(run: TheRun, context: Ctx) -> Response:
    """Ask the run's host for the Python stack of its job; it comes as a `log` event of source `stack`."""
    context.scheduler.ask_stack(run)
    return answer({"run_id": run.id, "after": run.head}, 202)


@router.get("/hosts")
async def list_hosts(context: Ctx) -> Response:
    """The hosts that this server has heard of, with their slots and runs."""
    now = asyncio.get_running_loop().time()
    return answer(
        {
            "hosts": [
                {
                    "name": name,
                    "free": host.slots,
                    "running": [
                        {"run_id": each.run_id, "attempt": each.number, "cpu": host.loads.get(each)}
                        for each in host.running
                    ],
                    "seen_seconds_ago": round(now - host.seen, 1),
                    "alive": not host.is_silent(now),
                }
                for name, host in context.scheduler.hosts.items()
            ]
        }
    )
