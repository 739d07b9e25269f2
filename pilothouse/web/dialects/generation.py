"""Dialect 001: batches of generated samples, as the reference document speaks of them.

`/api/generate/batch…`, `/api/batches/stuck`, and one stream of all batches: first how each of them
stands, then `{type, batch_id, batch}` whenever one has changed. Nothing is stored for it. A client
has no queue: it is sent the newest of each batch that changed since it was last sent something.
"""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from pilothouse import clock
from pilothouse.engine.control import Wish
from pilothouse.engine.watcher import Watcher
from pilothouse.errors import Conflict, NotFound, Unavailable
from pilothouse.model.run import LIVE, Control, Run, Status
from pilothouse.questions import RunQuery
from pilothouse.transports.service import sse_opening
from pilothouse.transports.sse import HEADERS, Listening, write
from pilothouse.web.context import Actor, Context, Ctx
from pilothouse.web.controls import answer_of
from pilothouse.web.dialects.pulse import HEARTBEAT_SECONDS, Pulse, sse
from pilothouse.web.live import StreamRoute, described_path
from pilothouse.web.runs import Before, Body, Name, answer, check_size

router = APIRouter(prefix="/api", tags=["dialect 001"])

KIND = "generation"
_PAGE = 1_000
_WORDS = {Status.CANCELLED: "stopped"}
_ENDED = {
    Status.COMPLETED: "batch_completed",
    Status.CANCELLED: "batch_stopped",
    Status.FAILED: "batch_failed",
    Status.PAUSED: "batch_paused",
}
Json = dict[str, Any]


class BatchBody(BaseModel):
    """One model by its name and address, or a list of them; further params of the kind are taken as they are."""

    model_config = ConfigDict(extra="allow")

    name: Name | None = None
    model: str | None = Field(default=None, min_length=1)
    base_url: str | None = None
    api_key_env: str | None = None
    models: list[Json] = Field(default_factory=list)

    @model_validator(mode="after")
    def _names_a_model(self) -> Self:
        if self.model is None and not self.models:
            raise PydanticCustomError("model", "name a model, and its base_url, or a list of models")
        if self.model not in (None, "offline") and self.base_url is None:
            raise PydanticCustomError("model", f"base_url says where {self.model} is served; fill it in")
        return self

    def params(self) -> Json:
        """The params of the kind."""
        own = {"name": self.model, "base_url": self.base_url or "offline", "api_key_env": self.api_key_env}
        first = [own] if self.model is not None else []
        return {**(self.model_extra or {}), "models": first + self.models}


class StopBody(Body):
    """Exactly one: a batch, or all of them."""

    batch_id: str | None = Field(default=None, min_length=1)
    all: bool = False

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if (self.batch_id is None) is not self.all:
            raise PydanticCustomError("stop", 'name a batch_id, or say {"all": true}; nothing was stopped')
        return self


@router.post("/generate/batch", status_code=201)
async def start(body: BatchBody, context: Ctx, actor: Actor) -> Response:
    """Start a batch."""
    params = body.params()
    check_size(params)
    new = context.engine.new_run(KIND, params, name=body.name, owner=actor)
    run, _ = await context.engine.submit(new)
    return answer({"batch_id": run.id, "status": run.status, "batch": described(run)}, 201)


@router.get("/generate/batch/history")
async def history(
    context: Ctx, limit: Annotated[int, Query(ge=1, le=1000)] = 200, before: Before = None
) -> Response:
    """Batches, newest first; `total` counts all there are, and `before` leads to older ones."""
    page = await context.store.list(RunQuery(kinds=(KIND,), limit=limit, before=before))
    running = await context.store.list(RunQuery(statuses=(Status.RUNNING,), kinds=(KIND,), limit=1))
    batches = [described(run) for run in page.runs]
    return answer({"batches": batches, "total": page.total, "running": running.total, "before": page.before})


@router.get("/generate/batch/status")
async def status(context: Ctx, batch_id: str | None = None) -> Response:
    """One batch, or all that have not ended."""
    if batch_id is not None:
        return answer(described(await _batch(context, batch_id)))
    runs = await _live(context)
    running = sum(run.status is Status.RUNNING for run in runs)
    return answer({"batches": [described(run) for run in runs], "running": running})


@router.get("/batches/stuck")
async def stuck(context: Ctx) -> Response:
    """The running batches that have made no sample for too long."""
    found = [context.watchdog.stuck(run) for run in await _live(context) if run.stuck]
    told = [
        described(each.run)
        | {"seconds_without_sample": round(each.seconds, 1), "limit": each.limit, "cause": each.cause}
        for each in found
    ]
    return answer({"stuck_batches": told, "count": len(told)})


@router.post("/generate/batch/stop")
async def stop(body: StopBody, context: Ctx, actor: Actor) -> Response:
    """Stop one batch or all; what they have made is kept."""
    if body.batch_id is not None:
        runs = [await _batch(context, body.batch_id)]
    else:
        runs = await _live(context)
    stopped: list[Json] = []
    is_pending = False
    for run in runs:
        try:
            said = await context.engine.control(run.id, Wish(Control.CANCEL, actor))
        except (Conflict, NotFound):
            if body.batch_id is not None:
                raise
            continue  # it ended meanwhile
        is_pending |= said.accepted
        stopped.append(answer_of(said) | {"batch_id": run.id, "batch": described(said.run)})
    word = "batch" if len(stopped) == 1 else "batches"
    text = f"Stopping {len(stopped)} {word}; their samples are kept" if stopped else "No batch is running"
    return answer({"message": text, "stopped": stopped}, 202 if is_pending else 200)


async def _batch(context: Context, reference: str) -> Run:
    run = await context.store.resolve(reference)
    if run.kind != KIND:
        raise NotFound(f"Run {run.name} is a {run.kind}, not a batch.")
    return run


async def _live(context: Context) -> list[Run]:
    """The batches that have not ended, newest first."""
    found: list[Run] = []
    before: int | None = None
    while True:
        query = RunQuery(statuses=tuple(LIVE), kinds=(KIND,), limit=_PAGE, before=before)
        page = await context.store.list(query)
        found += page.runs
        before = page.before
        if before is None:
            return found


def described(run: Run) -> Json:
    """A batch in the document's words."""
    kept, target = int(_number(run, "kept")), run.params.get("target")
    word = "stopping" if run.pending is Control.CANCEL else _WORDS.get(run.status, run.status.value)
    models = [str(model["name"]) for model in run.params["models"]]
    percent = 100 if run.status is Status.COMPLETED else min(100, kept * 100 // target) if target else None
    of = f"{kept}/{target} samples ({percent}%)" if target else f"{kept} samples"
    return {
        "id": run.id,
        "batch_id": run.id,
        "name": run.name,
        "model": models[0],
        "models": models,
        "status": word,
        "status_text": word.upper() + (" (may be stuck)" if run.stuck else ""),
        "may_be_stuck": run.stuck,
        "real_time_updates": "ACTIVE" if run.status in LIVE else "ENDED",
        "target": target,
        "samples_generated": kept,
        "progress": percent,
        "progress_text": of,
        "rejected": int(_number(run, "rejected")),
        "duplicates": int(_number(run, "duplicates")),
        "failed": int(_number(run, "failed")),
        "tokens_used": int(_number(run, "tokens")),
        "cost": run.metrics.get("cost"),
        "duration_seconds": _seconds(run),
        "created_at": run.created_at,
        "started_at": run.started_at,
        "completed_at": run.ended_at,
        "error": run.failure.message if run.failure else None,
    }


def _number(run: Run, metric: str) -> float:
    value = run.metrics.get(metric)
    return value if isinstance(value, int | float) else 0


def _seconds(run: Run) -> float:
    """Time spent running, pauses left out."""
    seconds = run.active_seconds
    if run.active_since:
        since = datetime.fromisoformat(clock.now()) - datetime.fromisoformat(run.active_since)
        seconds += max(0.0, since.total_seconds())
    return round(seconds, 1)


class Told:
    """What one client knows, and the message that a change makes."""

    def __init__(self) -> None:
        self._known: dict[str, Json] = {}
        self._is_first = True

    def message(self, batch: Json) -> Json | None:
        """`{type, batch_id, batch}` of a batch as it is now; None when nothing of it has changed but time."""
        before = self._known.get(batch["batch_id"])
        if before is not None and before | {"duration_seconds": batch["duration_seconds"]} == batch:
            return None
        self._known[batch["batch_id"]] = batch
        return {"type": self._type(before, batch), "batch_id": batch["batch_id"], "batch": batch}

    def gone(self, run_id: str) -> Json | None:
        """A batch was deleted; None for what was never told."""
        if self._known.pop(run_id, None) is None:
            return None
        return {"type": "batch_deleted", "batch_id": run_id, "batch": None}

    def end_of_first(self) -> None:
        """What comes now is news."""
        self._is_first = False

    def _type(self, before: Json | None, batch: Json) -> str:
        if self._is_first:
            return "initial_state"
        if before is None:
            return "batch_started"
        if batch["status"] != before["status"] and batch["status"] in _TYPES:
            return _TYPES[batch["status"]]
        if batch["may_be_stuck"] and not before["may_be_stuck"]:
            return "batch_stuck"
        return (
            "sample_generated"
            if batch["samples_generated"] > before["samples_generated"]
            else "batch_updated"
        )


_TYPES = {_WORDS.get(status, status.value): type_ for status, type_ in _ENDED.items()}


class BatchStream:
    """`GET /api/generate/batch/stream`."""

    def __init__(self, context: Context, heartbeat_seconds: float = HEARTBEAT_SECONDS) -> None:
        self._context = context
        self._heartbeat_seconds = heartbeat_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Tell one client how all batches stand, then what changes, until it leaves."""
        fleet, watcher, told = self._context.fleet, Watcher(), Told()
        frames, version = fleet.take(0)  # what comes after the answer has begun is news
        async with Listening(receive, watcher):
            await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            await write(send, sse_opening(b"\n"))
            pulse = Pulse(watcher, self._heartbeat_seconds)
            beating = asyncio.create_task(pulse.beat())
            try:
                while not watcher.gone:
                    messages = [message for frame in frames if (message := await self._message(frame, told))]
                    told.end_of_first()
                    if pulse.take():
                        messages.append({"type": "heartbeat", "batch_id": None, "batch": None})
                    if messages or watcher.beat:
                        watcher.beat = False
                        await write(send, sse(messages))
                    frames, version = fleet.take(version)
                    if not (frames or pulse.is_due):
                        await watcher.wait(fleet)
                        frames, version = fleet.take(version)
            except Unavailable:
                pass  # without a store to read from; whoever wants the rest comes back
            finally:
                beating.cancel()
                fleet.forget(watcher)
            await write(send, b"", more=False)

    async def _message(self, frame: bytes, told: Told) -> Json | None:
        """What a header of the fleet makes for a client; the batch itself is read when it is told."""
        header = json.loads(frame)
        if header["type"] == "run.deleted":
            return told.gone(header["run_id"])
        if header["data"]["kind"] != KIND:
            return None
        try:
            return told.message(described(await self._context.store.get(header["run_id"])))
        except NotFound:
            return None  # deleted: the fleet tells it next


def stream_routes(context: Context) -> list[BaseRoute]:
    """The dialect's stream."""
    return [StreamRoute("/api/generate/batch/stream", BatchStream(context))]


OPENAPI_PATHS: dict[str, Any] = {
    "/api/generate/batch/stream": described_path(
        "Follow all batches",
        {},
        "How every batch stands, then `{type, batch_id, batch}` of each that changes.",
    )
}
