"""The host's calls: it asks for runs to start, and tells how they ended."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response
from pydantic import Field

from pilothouse import failpoint
from pilothouse.engine.scheduler import Attempt
from pilothouse.web.context import Ctx
from pilothouse.web.link import MAX_NUMBER, disconnected
from pilothouse.web.runs import Body, answer

router = APIRouter(prefix="/api")
ALIVE_SECONDS = 40.0


class AttemptIn(Body):
    """One attempt that lives on the host."""

    run_id: str
    attempt: int = Field(ge=1, le=MAX_NUMBER)


class ClaimBody(Body):
    """What the host has room for, and what it runs."""

    slots: int = Field(ge=0, le=1024)
    running: list[AttemptIn] = Field(default_factory=list, max_length=1024)
    wait: float = Field(default=0, ge=0, le=25)


class EndedBody(AttemptIn):
    """How an attempt's process ended."""

    exit_code: int | None = None
    signal: int | None = None
    tail: str = Field(default="", max_length=65536)


@router.post("/hosts/{name}/claim")
async def claim(name: str, body: ClaimBody, context: Ctx, request: Request) -> Response:
    """Runs to start and attempts to end; waits while there is neither."""
    running = tuple(Attempt(each.run_id, each.attempt) for each in body.running)
    claiming = asyncio.create_task(context.scheduler.claim(name, body.slots, running, body.wait))
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
            "stop": [{"run_id": stop.run_id, "force": stop.force} for stop in stops],
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
                    "running": [{"run_id": each.run_id, "attempt": each.number} for each in host.running],
                    "seen_seconds_ago": round(now - host.seen, 1),
                    "alive": now - host.seen < ALIVE_SECONDS,
                }
                for name, host in context.scheduler.hosts.items()
            ]
        }
    )
