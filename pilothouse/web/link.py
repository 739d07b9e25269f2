"""The job's end of the server: its assignment, its events up, its controls down.

A batch is acknowledged after the commit and never before. Events that the
run's state does not admit are refused one by one; malformed ones refuse the
batch, since they will never be taken.
"""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from pydantic_core import to_json
from starlette.datastructures import QueryParams
from starlette.types import Receive, Scope, Send

from pilothouse.contracts import MAX_APPEND, WRITER_NAME, Appended
from pilothouse.errors import Invalid, LeaseLost, NotFound, TooLarge, Unavailable
from pilothouse.model.event import Body as EventBody
from pilothouse.model.event import parse_body
from pilothouse.model.run import Control, Run
from pilothouse.questions import ItemQuery
from pilothouse.sdk.encoding import DEEPEST
from pilothouse.transports.sse import HEADERS, HEARTBEAT, disconnected, write
from pilothouse.web.context import Context, Ctx
from pilothouse.web.runs import Body, answer

router = APIRouter(prefix="/api")

MAX_BATCH = 1024 * 1024
MAX_EVENT = 64 * 1024
MAX_NUMBER = 2**53
CONTROL_HEARTBEAT = 5.0
HEARTBEAT_SECONDS = 5.0
BEATS_PER_LEASE = 3
PAGE_ITEMS = 1000
_JOB_TYPES = frozenset(
    {
        "run.paused", "run.completed", "run.failed", "run.cancelled", "phase.started", "phase.finished",
        "item.started", "item.finished", "metric", "progress", "note", "log", "artifact.saved",
        "state.saved", "guard.tripped",
    }
)  # fmt: skip


class EventIn(Body):
    """One event of a job."""

    type: str
    data: dict[str, Any] = Field(default_factory=dict)


class Batch(Body):
    """Events of one writer of an attempt, numbered from `client_seq`; none at all is a heartbeat."""

    attempt: int = Field(ge=1, le=MAX_NUMBER)
    client_seq: int = Field(ge=1, le=MAX_NUMBER)
    writer: str = Field(default="job", pattern=f"^{WRITER_NAME}$")
    events: list[EventIn] = Field(max_length=MAX_APPEND)


@router.get("/runs/{run_id}/assignment")
async def assignment(run_id: str, context: Ctx, attempt: int = Query(ge=1)) -> Response:
    """All that an attempt needs to begin or to go on."""
    return answer(await assigned(context, await owned(context, run_id, attempt)))


async def assigned(context: Context, run: Run) -> dict[str, Any]:
    """What the current attempt of a run needs to begin or to go on."""
    return {
        "run": run.snapshot(),
        "finished": list(await context.store.finished_keys(run.id)),
        "in_flight": await _in_flight(context, run),
        "saved_state": await context.store.saved_state(run.id),
        "acked": {
            name if "/" in name else f"{run.attempt}/{name}": number
            for name, number in (await context.store.acked(run.id)).items()
        },
        "root": await _root(context, run),
        "sample_seconds": context.settings.sample_seconds,
        "heartbeat_seconds": min(HEARTBEAT_SECONDS, context.settings.lease_seconds / BEATS_PER_LEASE),
    }


async def _in_flight(context: Context, run: Run) -> list[str]:
    """Keys that earlier attempts began and did not finish, oldest first."""
    keys: list[str] = []
    before: int | None = None
    while True:
        page = await context.store.items(
            run.id, ItemQuery(limit=PAGE_ITEMS, before=before, states=("in_flight",))
        )
        keys += [item.key for item in page.items if item.attempt < run.attempt]
        before = page.before
        if before is None:
            return keys[::-1]


async def _root(context: Context, run: Run) -> str:
    """The run that this one retries, and that one in turn, back to the first that is known."""
    root = run.id
    while run.retry_of is not None:
        root = run.retry_of
        try:
            run = await context.store.get(root)
        except NotFound:
            break
    return root


@router.post("/runs/{run_id}/events")
async def append_events(run_id: str, batch: Batch, context: Ctx, request: Request) -> Response:
    """Store a batch of an attempt's events; a repeated batch is stored once."""
    if len(await request.body()) > MAX_BATCH:
        raise TooLarge("events: the batch is too large", hint=f"At most {MAX_BATCH} bytes.", field="events")
    bodies = [_parse(index, event) for index, event in enumerate(batch.events)]
    if (
        any(body.type == "run.cancelled" for body in bodies)
        and not (await context.store.get(run_id)).attached
    ):
        raise Invalid("events: the host tells that a run is cancelled, not its job", field="events")
    appended = await context.engine.append_as(
        run_id,
        batch.attempt,
        batch.client_seq,
        bodies,
        context.settings.lease_seconds,
        writer=batch.writer,
    )
    return answer(_link_answer(context, batch, appended))


def _parse(index: int, event: EventIn) -> EventBody:
    where = f"events.{index}"
    if event.type not in _JOB_TYPES:
        raise Invalid(f"{where}.type: a job does not send {event.type!r}", field=f"{where}.type")
    if _depth(event.data) > DEEPEST:
        raise Invalid(f"{where}: nested deeper than {DEEPEST}", field=where)
    try:
        size = len(to_json(event.data, inf_nan_mode="strings"))
    except ValueError as error:  # half a surrogate pair
        raise Invalid(f"{where}: cannot be written as JSON: {error}", field=where) from None
    if size > MAX_EVENT:
        raise TooLarge(f"{where}: above 64 KB", hint="Save large results as an artifact.", field=where)
    try:
        return parse_body(event.type, event.data)
    except Invalid as error:
        raise Invalid(f"{where}: {error.message}", field=f"{where}.{error.details['field']}") from None


def _depth(value: Any) -> int:
    """How deep lists and objects are nested, counted up to one above the limit."""
    depth, level = 0, [value]
    while level and depth <= DEEPEST:
        depth += 1
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
    return depth


def _link_answer(context: Context, batch: Batch, appended: Appended) -> dict[str, Any]:
    return {
        "acked": max(appended.acked, batch.client_seq + len(batch.events) - 1) if batch.events else 0,
        "refused": {str(number): why for number, why in appended.refused.items()},
        **control_state(context, appended.run),
    }


def control_state(context: Context, run: Run) -> dict[str, Any]:
    """What a job must know of its run."""
    kind = context.kinds.get(run.kind)
    live = {name: run.params.get(name) for name in kind.live_params} if kind else {}
    strength = run.request.strength if run.pending is Control.PAUSE and run.request else run.strength
    return {
        "status": run.status,
        "pending": run.pending,
        "strength": strength,
        "live": live,
        "head": run.head,
    }


async def owned(context: Context, run_id: str, attempt: int) -> Run:
    """The run that an attempt works for.

    Raises:
        NotFound: No such run.
        LeaseLost: Another attempt does by now, or the run has ended.
    """
    run = await context.store.get(run_id)
    if run.attempt != attempt or run.status.is_terminal:
        raise LeaseLost(
            f"attempt {attempt} no longer owns run {run_id}", status=run.status, attempt=run.attempt
        )
    return run


class ControlWire:
    """`GET /api/runs/{id}/controls`: the state of the run's controls, at once and at every change."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one attempt until it is fenced, leaves, or the server stops."""
        run_id = scope["path_params"]["run_id"]
        text = QueryParams(scope["query_string"]).get("attempt", "")
        if not (text.isascii() and text.isdecimal() and len(text) < 16):
            raise Invalid("attempt: must be a number", field="attempt")
        attempt = int(text)
        run = await owned(self._context, run_id, attempt)
        await self._context.store.renew(run_id, attempt, self._context.settings.lease_seconds)
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        leaving = asyncio.create_task(disconnected(receive))
        try:
            await self._serve(run, attempt, leaving, send)
        finally:
            leaving.cancel()

    async def _serve(self, run: Run, attempt: int, leaving: asyncio.Task[None], send: Send) -> None:
        doorbell, store = self._context.engine.doorbell, self._context.store
        told: dict[str, Any] = {}
        with doorbell.listen(run.id) as ear:
            while not (leaving.done() or doorbell.closed):
                ear.clear()
                try:
                    run = await store.get(run.id)
                except (NotFound, Unavailable):
                    break  # deleted; or the job comes back
                if run.attempt != attempt:
                    break
                state = control_state(self._context, run)
                said = {name: value for name, value in state.items() if name != "head"}
                if said != told:
                    told = said
                    await write(send, b"data: " + to_json(state) + b"\n\n")
                if run.status.is_terminal:
                    break
                rung = asyncio.create_task(ear.wait())
                await asyncio.wait(
                    {rung, leaving}, timeout=CONTROL_HEARTBEAT, return_when=asyncio.FIRST_COMPLETED
                )
                if not rung.done():
                    rung.cancel()
                    await write(send, HEARTBEAT)
        await write(send, b"", more=False)
