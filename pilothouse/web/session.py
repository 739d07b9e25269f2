"""Signing a browser in and out, and the health check."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated

import structlog
from fastapi import APIRouter, Request, Response
from pydantic import Field

from pilothouse.errors import Unauthorised
from pilothouse.model.run import LIVE, Status
from pilothouse.questions import RunQuery
from pilothouse.version import __version__
from pilothouse.web.context import Context, Ctx
from pilothouse.web.runs import Body, answer

router = APIRouter(prefix="/api")
_log = structlog.get_logger()
_STARTED = time.monotonic()


class SignInBody(Body):
    """A one-time code, or the token itself."""

    code: Annotated[str | None, Field(max_length=200)] = None
    token: Annotated[str | None, Field(max_length=200)] = None


@router.post("/sign-in-codes", status_code=201)
async def new_code(context: Ctx) -> Response:
    """A code that signs one browser in, once, within 60 seconds."""
    return answer({"code": context.access.new_code()}, 201)


@router.post("/sign-in", status_code=204)
async def sign_in(body: SignInBody, context: Ctx) -> Response:
    """Trade a code or the token for a cookie."""
    by_code = body.code is not None and context.access.takes_code(body.code)
    by_token = body.token is not None and context.access.knows_token(body.token.strip())
    if not (by_code or by_token):
        raise Unauthorised(
            "The code is used up or too old." if body.code else "That is not the token.",
            hint="Get a new link with `pilothouse open`, or paste the token from the data folder.",
        )
    response = Response(status_code=204)
    response.set_cookie(
        context.access.cookie,
        context.access.new_cookie(),
        max_age=int(context.access.session_seconds),
        httponly=True,
        samesite="strict",
        path="/",
    )
    return response


@router.post("/sign-out", status_code=204)
async def sign_out(context: Ctx, request: Request) -> Response:
    """End the session, on every tab of the browser: the cookie opens nothing any more, and its streams end."""
    if (session := request.state.session) is not None:
        revocations = context.access.revocations
        revocations.add(session, context.access.session_seconds)
        try:
            await asyncio.to_thread(revocations.save)
        except OSError as error:
            _log.warning("sign_out.not_kept", error=str(error), until="the next start of the server")
    response = Response(status_code=204)
    response.delete_cookie(context.access.cookie, path="/", httponly=True, samesite="strict")
    return response


@router.get("/health")
async def health(context: Ctx) -> Response:
    """Whether the server can read its store; open to all, so it tells nothing else."""
    await context.store.list(RunQuery(limit=1))
    return answer({"status": "ok", "version": __version__})


@router.get("/stats")
async def stats(context: Ctx) -> Response:
    """Runs by status, what this server holds in memory, and what goes out to its watchers."""
    counts = await runs_by_status(context)
    traffic = context.tails.traffic
    return answer(
        {
            "runs": counts,
            "live": sum(counts[status] for status in LIVE),
            "watchers": sum(tail.watchers for tail in context.tails.all),
            "tails": len(context.tails.all),
            "browsers": traffic.browsers,
            "events_per_second": round(traffic.events_per_second, 3),
            "delivery_ms": {
                name: None if (delay := traffic.delay(share)) is None else round(delay * 1000, 1)
                for name, share in (("p50", 0.5), ("p95", 0.95))
            },
            "uptime_seconds": round(time.monotonic() - _STARTED, 1),
            "epoch": context.store.epoch,
            "version": __version__,
        }
    )


async def runs_by_status(context: Context) -> dict[Status, int]:
    """How many runs there are of each status."""
    queries = {status: RunQuery(statuses=(status,), limit=1) for status in Status}
    return {status: (await context.store.list(query)).total for status, query in queries.items()}
