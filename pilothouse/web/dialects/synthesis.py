"""Dialect 002: runs that make synthetic tables, as the reference document speaks of them.

`/v1/runs…` with status, steps and cancel, and `/ws/{run_id}`. Nothing is stored for
it: a step is a note of the one log, so polling and the WebSocket tell the same,
and progress is what is done of what there is, never a guess from the number of steps.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict
from pydantic_core import to_json
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.types import Receive, Scope, Send

from pilothouse.clock import now
from pilothouse.engine.control import Wish
from pilothouse.engine.segment import Gap
from pilothouse.engine.tail import Tail
from pilothouse.engine.watcher import Watcher
from pilothouse.errors import Forbidden, NotFound, PilothouseError
from pilothouse.kinds.synthesis.gauge import gauges
from pilothouse.kinds.synthesis.params import EXAMPLES, Params
from pilothouse.model.fold import active_seconds
from pilothouse.model.progress import eta_seconds
from pilothouse.model.run import Control, Run, Status
from pilothouse.questions import ItemQuery
from pilothouse.transports.follow import Batch, follow
from pilothouse.transports.sse import Listening
from pilothouse.transports.websocket import farewell, send_text
from pilothouse.web.context import Actor, Context, Ctx, TheRun
from pilothouse.web.dialects.pulse import Pulse
from pilothouse.web.live import close
from pilothouse.web.runs import Name, answer, check_size

router = APIRouter(prefix="/v1", tags=["dialect 002"])

KIND = "synthesis"
HEARTBEAT_SECONDS = 30.0
_PAGE = 1_000
_STATUSES = {Status.COMPLETED: "succeeded"}
_NOTED = frozenset({"planned", "training", "metrics", "error", "backup"})
_ENDED = {
    "run.cancelled": ("cancelled", "Cancelled; what was finished is kept"),
    "run.failed": ("error", ""),
}
_TOLD = ("note", *_ENDED)
_MOVING = frozenset({"item.finished", "metric", "phase.started", "progress", "control.requested"})


class RunBody(BaseModel):
    """A table and how to learn it; further params of the kind are taken as they are.

    `dataset` names an example table, or a file on the host by its path.
    """

    model_config = ConfigDict(extra="allow")

    name: Name | None = None
    dataset: str | None = None

    def params(self) -> dict[str, Any]:
        """The params of the kind."""
        params = dict(self.model_extra or {})
        if self.dataset is not None:
            params["example" if self.dataset in EXAMPLES else "path"] = self.dataset
        return params


@router.post("/runs", status_code=201)
async def start(body: RunBody, context: Ctx, actor: Actor) -> Response:
    """Start a run."""
    params = body.params()
    check_size(params)
    new = context.engine.new_run(KIND, params, name=body.name, owner=actor)
    run, _ = await context.engine.submit(new)
    return answer(await described(context, run), 201)


@router.get("/runs/{run}/status")
async def show_status(run: TheRun, context: Ctx) -> Response:
    """How a run stands; light enough to be asked for every second."""
    _only_synthesis(run)
    return answer(await described(context, run))


@router.get("/runs/{run}/steps")
async def list_steps(run: TheRun, context: Ctx, after: int = 0) -> Response:
    """What has happened, oldest first; `after` leaves out what a client has already."""
    _only_synthesis(run)
    steps = await steps_of(context, run.id, after)
    return answer({"run_id": run.id, "status": status_of(run), "steps": steps, "total": len(steps)})


@router.post("/runs/{run}/cancel")
async def cancel(run: TheRun, context: Ctx, actor: Actor) -> Response:
    """End a run of one's own. `cancelled` is said once it is true; until then 202 and `cancelling`.

    Raises:
        Forbidden: It belongs to somebody else.
        InvalidControl: It has ended in another way.
    """
    _only_synthesis(run)
    if run.owner != actor:
        raise Forbidden(f"Run {run.name} belongs to {run.owner}.", hint=f"Ask {run.owner} to cancel it.")
    said = await context.engine.control(run.id, Wish(Control.CANCEL, actor))
    is_over = said.run.status is Status.CANCELLED
    return answer({"ok": True, "status": "cancelled" if is_over else "cancelling"}, 200 if is_over else 202)


def _only_synthesis(run: Run) -> None:
    if run.kind != KIND:
        raise NotFound(f"Run {run.name} is a {run.kind}, not a synthesis.")


def status_of(run: Run) -> str:
    """The document's word; a cancel that is not yet obeyed shows."""
    return "cancelling" if run.pending is Control.CANCEL else _STATUSES.get(run.status, str(run.status))


async def described(context: Context, run: Run) -> dict[str, Any]:
    """A run in the document's words."""
    elapsed = active_seconds(run, now())
    phase, params = run.phase, run.params
    plan = await _plan(context, run)
    return {
        "run_id": run.id,
        "name": run.name,
        "status": status_of(run),
        "dataset": params.get("example") or params.get("path") or "rows",
        "method": _method(run, plan),
        "plan": plan,
        "progress": progress(run),
        "current_step": phase.index if phase else 0,
        "total_steps": phase.of if phase else None,
        "step_name": ": ".join(filter(None, [phase.name, run.current])) if phase else None,
        "steps_done": run.progress.done,
        "steps_expected": run.progress.total,
        "elapsed_seconds": round(elapsed, 1),
        "remaining_seconds": None if run.status.is_terminal else eta_seconds(run.progress, elapsed),
        "metrics": metrics(run),
        "created_at": run.created_at,
        "started_at": run.started_at,
        "completed_at": run.ended_at,
        "error": run.failure.message if run.failure else None,
    }


async def _plan(context: Context, run: Run) -> dict[str, Any] | None:
    """What was decided about the attempts, None until then."""
    if not run.progress.done:
        return None
    page = await context.store.items(run.id, ItemQuery(limit=1, where={"step": "Planned"}))
    plan = page.items[0].data.get("plan") if page.items else None
    return plan if isinstance(plan, dict) else None


def _method(run: Run, plan: dict[str, Any] | None) -> str:
    """The method of the attempt in hand; before there is a plan, what was asked for."""
    attempt = run.metrics.get("attempt")
    steps = plan["steps"] if plan else []
    number = int(attempt) - 1 if isinstance(attempt, int | float) else 0
    return str(steps[number]["method"] if number < len(steps) else run.params.get("method"))


def progress(run: Run) -> int:
    """How much is done, 0 to 100; rounded down, so 100 means all."""
    if run.status is Status.COMPLETED:
        return 100
    total = run.progress.total
    return min(99, run.progress.done * 100 // total) if total else 0


def metrics(run: Run) -> dict[str, Any]:
    """The gauges that were measured, with their limits and what they mean."""
    found = gauges(run.metrics, Params.model_validate(run.params))
    return {
        gauge.name: {"value": gauge.value, "limit": gauge.limit, "verdict": gauge.verdict}
        for gauge in found
        if isinstance(gauge.value, float | int)
    }


async def steps_of(context: Context, run_id: str, after: int) -> list[dict[str, Any]]:
    """The steps with an id above `after`, oldest first."""
    found: list[dict[str, Any]] = []
    while frames := await context.store.read(run_id, after, _PAGE, _TOLD):
        told = [step(json.loads(frame.data)) for frame in frames]
        found += [one for one in told if one]
        after = frames[-1].seq
    return found


def step(event: dict[str, Any]) -> dict[str, Any] | None:
    """An event as a step; None for an event that is none."""
    type_, data = event["type"], event["data"]
    if type_ == "note" and data["feed"] in _NOTED:
        name, text = data["feed"], data["text"]
    elif type_ in _ENDED:
        name, said = _ENDED[type_]
        text = said or data["message"]
    else:
        return None
    return {"id": event["seq"], "type": name, "message": text, "created_at": event["time"]}


class RunSocket:
    """`WS /ws/{run_id}`: the status, the steps so far, then every step and change as it happens."""

    def __init__(self, context: Context, heartbeat_seconds: float = HEARTBEAT_SECONDS) -> None:
        self._context = context
        self._heartbeat_seconds = heartbeat_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one client."""
        await receive()
        try:
            run = await self._context.store.resolve(scope["path_params"]["run_id"])
            _only_synthesis(run)
        except PilothouseError as error:
            await close(send, error)
            return
        await send({"type": "websocket.accept"})
        try:
            await self._serve(run, receive, send)
        except PilothouseError as error:  # it was deleted, or the store has gone
            await close(send, error)

    async def _serve(self, run: Run, receive: Receive, send: Send) -> None:
        watcher = Watcher()
        async with self._context.tails.follow(run.id) as tail, Listening(receive, watcher):
            pulse = Pulse(watcher, self._heartbeat_seconds)
            beating = asyncio.create_task(pulse.beat())
            try:
                await self._tell(tail, watcher, pulse, send)
            finally:
                beating.cancel()
            await farewell(send, watcher, over=tail.over)

    async def _tell(self, tail: Tail, watcher: Watcher, pulse: Pulse, send: Send) -> None:
        """Send messages until the run is over or the client is gone."""
        context, run_id = self._context, tail.run_id
        await _say(
            send, {"type": "status", "data": await described(context, await context.store.get(run_id))}
        )
        async with aclosing(follow(tail, watcher, 0)) as batches:
            async for batch in batches:
                events = _events(batch)
                for told in filter(None, map(step, events)):
                    await _say(send, {"type": "step", "data": told})
                if any(event["type"] in _MOVING or event["type"].startswith("run.") for event in events):
                    run = await context.store.get(run_id)
                    await _say(send, {"type": "status", "data": await described(context, run)})
                if pulse.take():
                    await _say(send, {"type": "heartbeat"})


def _events(batch: Batch | Gap | None) -> list[dict[str, Any]]:
    return [json.loads(frame) for frame in batch.frames()] if isinstance(batch, Batch) else []


async def _say(send: Send, message: dict[str, Any]) -> None:
    await send_text(send, to_json(message, inf_nan_mode="strings"))


def stream_routes(context: Context) -> list[BaseRoute]:
    """The dialect's WebSocket."""
    return [WebSocketRoute("/ws/{run_id}", RunSocket(context))]
