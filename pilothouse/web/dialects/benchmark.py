"""Dialect 000: benchmark tuning runs, as the reference document speaks of them.

`/tuning/runs…` and its stream of `connected`, `existing_result`, `result`,
`paused`, `resumed`, `cancelled`, `completed`, `heartbeat`. Nothing is stored for
it: every message is made from the one log, so a failed test is streamed and
counted like any other and no queue can overflow.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from pilothouse.engine.control import Wish
from pilothouse.engine.segment import Gap
from pilothouse.engine.tail import Tail
from pilothouse.engine.watcher import Watcher
from pilothouse.errors import NotFound, Unavailable
from pilothouse.model.run import Control, Run, Status
from pilothouse.questions import Item, ItemQuery, RunQuery
from pilothouse.transports.follow import follow
from pilothouse.transports.sse import HEADERS, Listening, write
from pilothouse.web.context import Actor, Context, Ctx, TheRun
from pilothouse.web.controls import answer_of
from pilothouse.web.dialects.pulse import HEARTBEAT_SECONDS, Pulse, sse
from pilothouse.web.dialects.trimmed import remembered
from pilothouse.web.live import StreamRoute
from pilothouse.web.runs import Name, answer, check_size

router = APIRouter(prefix="/tuning", tags=["dialect 000"])

KIND = "benchmark"
_PAGE = 5_000
_SAID = {
    "run.paused": ("paused", "Run paused"),
    "run.resumed": ("resumed", "Run resumed"),
    "run.cancelled": ("cancelled", "Run cancelled; partial results are kept"),
    "run.completed": ("completed", "Run completed"),
    "run.failed": ("failed", ""),
}
_PASSING = ("run.paused", "run.resumed")


class TuningRunBody(BaseModel):
    """The prompts, test cases and models to compare; further params of the kind are taken as they are."""

    model_config = ConfigDict(extra="allow")

    name: Name | None = None
    prompts: list[dict[str, Any]]
    test_cases: list[dict[str, Any]] = Field(default_factory=list)
    models: list[dict[str, Any]]

    def params(self) -> dict[str, Any]:
        """The params of the kind."""
        params = {"prompts": self.prompts, "models": self.models, **(self.model_extra or {})}
        return params | ({"cases": self.test_cases} if self.test_cases else {})


@router.post("/runs", status_code=201)
async def start(body: TuningRunBody, context: Ctx, actor: Actor) -> Response:
    """Start a tuning run."""
    params = body.params()
    check_size(params)
    new = context.engine.new_run(KIND, params, name=body.name, owner=actor)
    run, _ = await context.engine.submit(new)
    return answer(await described(context, run), 201)


@router.get("/runs")
async def list_runs(context: Ctx) -> Response:
    """All tuning runs, newest first."""
    page = await context.store.list(RunQuery(kinds=(KIND,), limit=200))
    runs = [await described(context, run) for run in page.runs]
    return answer({"runs": runs, "total": page.total})


@router.get("/runs/{run}")
async def show(run: TheRun, context: Ctx) -> Response:
    """One tuning run with its results, oldest first."""
    _only_benchmarks(run)
    page = await context.store.items(run.id, ItemQuery(limit=_PAGE, states=("done", "failed")))
    return answer(await described(context, run) | {"results": [_stored(item) for item in page.items[::-1]]})


def _stored(item: Item) -> dict[str, Any]:
    outcome = {"ok": item.state == "done", "seconds": item.seconds, "error": item.error}
    return result(item.key, outcome, item.data)


@router.post("/runs/{run}/pause")
async def pause(run: TheRun, context: Ctx, actor: Actor) -> Response:
    """Pause after the current test."""
    return await _control(context, run, Wish(Control.PAUSE, actor), "Pausing after current test...")


@router.post("/runs/{run}/resume")
async def resume(run: TheRun, context: Ctx, actor: Actor) -> Response:
    """Continue where it left off."""
    return await _control(context, run, Wish(Control.RESUME, actor), "Resuming")


@router.post("/runs/{run}/cancel")
async def cancel(run: TheRun, context: Ctx, actor: Actor) -> Response:
    """Stop; the results so far are kept."""
    return await _control(context, run, Wish(Control.CANCEL, actor), "Cancelling; partial results are kept")


async def _control(context: Context, run: Run, wish: Wish, message: str) -> Response:
    _only_benchmarks(run)
    said = await context.engine.control(run.id, wish)
    body = answer_of(said) | {"message": message, "run": await described(context, said.run)}
    return answer(body, 202 if said.accepted else 200)


def _only_benchmarks(run: Run) -> None:
    if run.kind != KIND:
        raise NotFound(f"Run {run.name} is a {run.kind}, not a benchmark.")


async def described(context: Context, run: Run) -> dict[str, Any]:
    """A run in the document's words; when it was last asked to pause and resumed is read from its log."""
    frames = await context.store.read(run.id, 0, 50, ("control.requested", "run.paused", "run.resumed"), True)
    times: dict[str, str] = {}
    for event in (json.loads(frame.data) for frame in frames):
        if event["type"] != "control.requested":
            times[event["type"]] = event["time"]
        elif event["data"]["control"] == "pause":
            times["asked"] = event["time"]
    return {
        "id": run.id,
        "run_id": run.id,
        "name": run.name,
        "status": run.status,
        "is_paused": run.status is Status.PAUSED,
        "pause_requested_at": times.get("asked", times.get("run.paused")),
        "resumed_at": times.get("run.resumed"),
        "created_at": run.created_at,
        "started_at": run.started_at,
        "completed_at": run.ended_at,
        "progress": progress(run.progress.done, run.progress.total, run.progress.failed),
        "error": run.failure.message if run.failure else None,
    }


def progress(done: int, total: int | None, failed: int) -> dict[str, Any]:
    """How far a run is; the percentage is rounded down, so 100 means all."""
    percentage = done * 100 // total if total else 0
    return {"completed": done, "total": total, "failed": failed, "percentage": percentage}


def result(key: str, outcome: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """A finished test in the document's words; a test in error is marked with it."""
    return {
        "id": key,
        "model": data.get("model"),
        "prompt": data.get("prompt"),
        "test_case": data.get("case"),
        "predicted_vote": data.get("predicted"),
        "expected_vote": data.get("expected"),
        "correct": bool(data.get("correct")),
        "confidence": data.get("confidence"),
        "duration": outcome["seconds"],
        "duration_ms": data.get("milliseconds"),
        "error": outcome["error"],
        "failed": not outcome["ok"],
    }


class Story:
    """Tells a log as the document's messages, event by event."""

    def __init__(self, known: int) -> None:
        self._known = known
        self._done = self._failed = 0
        self._total: int | None = None

    def told(self, events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """The messages of some events."""
        return [message for event in events for message in self.messages(event)]

    def messages(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        """The messages that one event makes; most make none."""
        type_, data, old = event["type"], event["data"], event["seq"] <= self._known
        if type_ == "progress" and data["total"] is not None:
            self._total = data["total"]
        if type_ == "item.finished":
            return [self._result(data, old=old)]
        if type_ in _SAID and not (old and type_ in _PASSING):
            name, message = _SAID[type_]
            more = {"progress": self._progress()} if name == "completed" else {}
            return [{"type": name, "message": message or data["message"], **more}]
        return []

    def _result(self, data: dict[str, Any], *, old: bool) -> dict[str, Any]:
        self._done += 1
        self._failed += not data["ok"]
        told = result(data["key"], data, data["data"])
        if old:
            return {"type": "existing_result", "data": told}
        return {"type": "result", "data": told, "progress": self._progress()}

    def _progress(self) -> dict[str, Any]:
        return progress(self._done, self._total, self._failed)


class TuningStream:
    """`GET /tuning/runs/{run_id}/stream`."""

    def __init__(self, context: Context, heartbeat_seconds: float = HEARTBEAT_SECONDS) -> None:
        self._context = context
        self._heartbeat_seconds = heartbeat_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Tell one client the run so far, then what happens, until it ends."""
        store = self._context.store
        run = await store.resolve(scope["path_params"]["run_id"])
        _only_benchmarks(run)
        watcher = Watcher()
        async with self._context.tails.follow(run.id) as tail, Listening(receive, watcher):
            connected = {"type": "connected", "run": await described(self._context, await store.get(run.id))}
            await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            await write(send, sse([connected]))
            pulse = Pulse(watcher, self._heartbeat_seconds)
            beating = asyncio.create_task(pulse.beat())
            try:
                await self._tell(tail, watcher, pulse, send)
            except Unavailable:
                pass  # without a store to read from; whoever wants the rest comes back
            finally:
                beating.cancel()
            await write(send, b"", more=False)

    async def _tell(self, tail: Tail, watcher: Watcher, pulse: Pulse, send: Send) -> None:
        story = Story(tail.head)
        async with aclosing(follow(tail, watcher, 0)) as batches:
            async for batch in batches:
                if isinstance(batch, Gap):
                    async with aclosing(remembered(self._context.store, tail.run_id, batch)) as pages:
                        async for events in pages:
                            await write(send, sse(story.told(events)))
                    continue
                events = [json.loads(frame) for frame in batch.frames()] if batch else []
                heartbeat = [{"type": "heartbeat"}] if pulse.take() else []
                await write(send, sse([*story.told(events), *heartbeat]))


def stream_routes(context: Context) -> list[BaseRoute]:
    """The dialect's stream."""
    return [StreamRoute("/tuning/runs/{run_id}/stream", TuningStream(context))]
